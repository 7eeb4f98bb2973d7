#!/usr/bin/env bash
# Guess: `set server ... state maint` on a healthy server leaves its counter of UP to DOWN transitions
# (chkdown) and its down time (downtime) alone: nothing failed.
# Seen: chkdown grows by one, and the backend's too when it was the last server; both down times run as
# long as the maintenance does. A rolling maintenance looks like a flapping server.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

server, frontend = http_server(), free_port()
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 default_backend b
backend b
 server s 127.0.0.1:{server} check inter 100
""") as haproxy:
    wait_for(lambda: haproxy.row("b", "s")["check_status"] == "L4OK", "a check")
    columns = ("status", "chkdown", "downtime", "chkfail")
    expect("in service", haproxy.cells("b", "s", *columns),
           {"status": "UP", "chkdown": "0", "downtime": "0", "chkfail": "0"})
    haproxy.cli("set server b/s state maint")
    wait_for(lambda: int(haproxy.row("b", "s")["downtime"]) >= 2, "two seconds of down time")
    haproxy.cli("set server b/s state ready")
    wait_for(lambda: haproxy.row("b", "s")["status"] == "UP", "checks to pass")
    after = haproxy.cells("b", "s", "status", "chkdown", "chkfail")
    expect("after maintenance", after, {"status": "UP", "chkdown": "1", "chkfail": "0"})
    expect("its backend", haproxy.cells("b", "BACKEND", "status", "chkdown"),
           {"status": "UP", "chkdown": "1"})
PY
