#!/usr/bin/env bash
# Guess: DroppedLogs of `show info` grows when the log server is gone: with each line for a closed UDP
# port, for a missing unix socket, and for a ring whose server refuses and whose space is used up.
# Seen: it stays 0 in all three cases, over 600 lines of which not one arrived.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

closed = free_port()
ring = f"ring r\n size 32768\n timeout connect 1s\n timeout server 1s\n server log 127.0.0.1:{closed}\n"
for name, target, section in (
    ("closed UDP port", f"127.0.0.1:{closed}", ""),
    ("missing unix socket", os.environ["LAB_DIRECTORY"] + "/absent", ""),
    ("full ring of a dead server", "ring@r", ring),
):
    frontend = free_port()
    with HAProxy(f"""
 log global
 option httplog
frontend f
 bind 127.0.0.1:{frontend}
 http-request return status 200
{section}""", f" log {target} local0") as haproxy:
        for _ in range(600):
            get(frontend)
        expect(name, (haproxy.info()["DroppedLogs"], haproxy.row("f", "FRONTEND")["req_tot"]),
               ("0", "600"))
PY
