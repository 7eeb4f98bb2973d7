#!/usr/bin/env bash
# Guess: `shutdown sessions server` of an operator shows as an abort (srv_abrt) of the server.
# Seen: a request that waits for its response gets a 5xx, the server and the backend count a response error
# (eresp), the backend a 5xx, and no abort is counted anywhere: it reads as a server that failed.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *


class Slow(Answer):
    seconds = 5


server, frontend, seen = http_server(Slow), free_port(), []
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 default_backend b
backend b
 timeout server 20s
 server s 127.0.0.1:{server}
""") as haproxy:
    client = threading.Thread(target=lambda: seen.append(get(frontend)))
    client.start()
    wait_for(lambda: haproxy.row("b", "s")["used_conn_cur"] == "1", "the request")
    haproxy.cli("shutdown sessions server b/s")
    client.join()
    expect("class of the response", seen[0].split()[1][0], "5")
    columns = ("eresp", "srv_abrt", "cli_abrt", "hrsp_5xx")
    wait_for(lambda: haproxy.row("b", "BACKEND")["hrsp_5xx"] == "1", "the backend's count")
    expect("server", haproxy.cells("b", "s", *columns),
           {"eresp": "1", "srv_abrt": "0", "cli_abrt": "0", "hrsp_5xx": "0"})
    expect("backend", haproxy.cells("b", "BACKEND", *columns),
           {"eresp": "1", "srv_abrt": "0", "cli_abrt": "0", "hrsp_5xx": "1"})
PY
