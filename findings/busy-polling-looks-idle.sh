#!/usr/bin/env bash
# Guess: with `busy-polling` a HAProxy without traffic uses a whole processor, and Idle_pct says so: 0.
# Seen: the processor time is used, and Idle_pct is 100. An alert on a small idle share cannot see it,
# nor can one on a large share trust it.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

with HAProxy(f"""
frontend f
 bind 127.0.0.1:{free_port()}
 http-request return status 200
""", " busy-polling\n nbthread 1") as haproxy:
    def processor_seconds():
        with open(f"/proc/{haproxy.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # Long enough for HAProxy's own average, however busy the machine is.
    wait_for(lambda: processor_seconds() > 2, "two seconds of processor time", 60)
    expect("more than 2 s of processor time used", processor_seconds() > 2, True)
    expect("requests", haproxy.row("f", "FRONTEND")["req_tot"], "0")
    expect("Idle_pct over 95", int(haproxy.info()["Idle_pct"]) > 95, True)
PY
