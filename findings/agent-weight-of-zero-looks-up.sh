#!/usr/bin/env bash
# Guess: an agent that reports `50%` for a server of weight 1 leaves it a weight of 1 (nothing smaller
# exists), and an agent or operator that sets the weight to 0 turns its status into DRAIN.
# Seen: half of 1 is 0. The server gets no balanced traffic; its status stays `UP` or `no check` and its
# role (act) stays 1. When it was the only one, the backend is DOWN while its server is not.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

word = [b"100%\n"]


def agent(connection):
    connection.sendall(word[0])
    connection.close()


server, frontend = http_server(), free_port()
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 default_backend b
backend b
 server s 127.0.0.1:{server} weight 1 agent-check agent-port {raw_server(agent)} agent-inter 100
""") as haproxy:
    columns = ("status", "act", "weight")
    expect("at 100%", haproxy.cells("b", "s", *columns),
           {"status": "no check", "act": "1", "weight": "1"})
    word[0] = b"50%\n"
    wait_for(lambda: haproxy.row("b", "s")["weight"] == "0", "the agent's word")
    expect("at 50%", haproxy.cells("b", "s", *columns),
           {"status": "no check", "act": "1", "weight": "0"})
    expect("its backend", haproxy.cells("b", "BACKEND", "status", "act"),
           {"status": "DOWN", "act": "0"})
    expect("a client", get(frontend), "HTTP/1.1 503 Service Unavailable")
PY
