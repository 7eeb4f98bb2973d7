#!/usr/bin/env bash
# Guess: intercepted requests of a frontend (intercepted) are all that HAProxy answered itself on purpose:
# redirects and `http-request return`, wherever these stand.
# Seen: they count in the frontend when the rule stands in the frontend.
# The same rules in a backend count nowhere: the column of a backend row is empty, the frontend's stays.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

frontend = free_port()
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 http-request redirect location /elsewhere if {{ path /front-redirect }}
 http-request return status 200 if {{ path /front-return }}
 default_backend b
backend b
 http-request redirect location /elsewhere if {{ path /back-redirect }}
 http-request return status 200
""") as haproxy:
    for path, status, counted in (
        ("/front-redirect", "302 Found", "1"),
        ("/front-return", "200 OK", "2"),
        ("/back-redirect", "302 Found", "2"),
        ("/back-return", "200 OK", "2"),
    ):
        expect(path, get(frontend, path), f"HTTP/1.1 {status}")
        expect("intercepted", haproxy.row("f", "FRONTEND")["intercepted"], counted)
    expect("backend", haproxy.cells("b", "BACKEND", "intercepted", "req_tot"),
           {"intercepted": "", "req_tot": "2"})
PY
