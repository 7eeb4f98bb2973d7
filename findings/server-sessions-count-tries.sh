#!/usr/bin/env bash
# Guess: a request that HAProxy tries four times on one server is one session of that server, as it is
# one session of its backend.
# Seen: the server's sessions (stot) are 4, the backend's 1; lbtot is 1 in both. With `redispatch 1` the
# dead server has a session for each request that was taken from it, and the backend's lbtot counts each
# of these twice. The sum over servers is not the backend's number.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

server, frontend, second, closed = http_server(), free_port(), free_port(), free_port()
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 default_backend retried
frontend g
 bind 127.0.0.1:{second}
 default_backend moved
backend retried
 retries 3
 server dead 127.0.0.1:{closed}
backend moved
 balance roundrobin
 option redispatch 1
 server dead 127.0.0.1:{closed}
 server alive 127.0.0.1:{server}
""") as haproxy:
    expect("answer", get(frontend), "HTTP/1.1 503 Service Unavailable")
    expect("server", haproxy.cells("retried", "dead", "stot", "lbtot", "wretr", "econ"),
           {"stot": "4", "lbtot": "1", "wretr": "3", "econ": "1"})
    expect("backend", haproxy.cells("retried", "BACKEND", "stot", "lbtot"),
           {"stot": "1", "lbtot": "1"})
    for _ in range(2):
        expect("answer", get(second), "HTTP/1.1 200 OK")
    expect("dead server", haproxy.cells("moved", "dead", "stot", "lbtot", "wredis", "econ"),
           {"stot": "2", "lbtot": "2", "wredis": "2", "econ": "0"})
    expect("backend", haproxy.cells("moved", "BACKEND", "stot", "lbtot"),
           {"stot": "2", "lbtot": "4"})
PY
