#!/usr/bin/env bash
# Guess: the average total time of a server (ttime) is what its requests took; the pause of a client
# between two requests on one connection is left out.
# Seen: the pause before a request counts. Three quick requests with a pause of a second before the
# second and the third average to 667 ms, while the response time (rtime) averages to 0.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

server, frontend = http_server(), free_port()
request = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n"
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 default_backend b
backend b
 server s 127.0.0.1:{server}
""") as haproxy:
    with socket.create_connection(("127.0.0.1", frontend)) as client:
        for pause in (0, 1, 1):
            time.sleep(pause)
            client.sendall(request)
            client.recv(65536)
    wait_for(lambda: haproxy.row("b", "s")["stot"] == "3", "three requests")
    wait_for(lambda: haproxy.row("b", "s")["ttime_max"] != "0", "the end of the third")
    row = haproxy.row("b", "s")
    print(f"rtime {row['rtime']} ms, ttime {row['ttime']} ms, ttime_max {row['ttime_max']} ms")
    expect("response time below 100 ms", int(row["rtime"]) < 100, True)
    expect("total time over 600 ms", int(row["ttime"]) > 600, True)
PY
