#!/usr/bin/env bash
# Guess: a server that tracks another (`track`) goes DOWN with it and counts that as it does: failed
# checks, transitions, down time.
# Seen: its status changes, while its cells of failed checks, transitions (chkdown), down time and check
# status stay empty. An alert on these counters never sees such a server.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

server, closed = http_server(), free_port()
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{free_port()}
 default_backend b
backend b
 server checked 127.0.0.1:{closed} check inter 100 fall 1
 server tracking 127.0.0.1:{server} track b/checked
""") as haproxy:
    wait_for(lambda: haproxy.row("b", "tracking")["status"] == "DOWN", "both to go down")
    columns = ("status", "chkfail", "chkdown", "check_status")
    expect("checked", haproxy.cells("b", "checked", *columns),
           {"status": "DOWN", "chkfail": "1", "chkdown": "1", "check_status": "L4CON"})
    columns += ("downtime",)
    expect("tracking", haproxy.cells("b", "tracking", *columns),
           {"status": "DOWN", "chkfail": "", "chkdown": "", "check_status": "", "downtime": ""})
PY
