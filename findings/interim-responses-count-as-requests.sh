#!/usr/bin/env bash
# Guess: a server's count of HTTP requests (req_tot) is 1 after one request, and interim responses (100
# Continue, 103 Early Hints) count as 1xx on the server and on its backend alike.
# Seen: the server's row counts each interim response as a request and as 1xx; backend and frontend count
# neither. A server that sends early hints seems to have several times its backend's requests.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *


def serve(connection):
    connection.recv(65536)
    for response in (b"100 Continue\r\n\r\n", b"103 Early Hints\r\nLink: </style.css>\r\n\r\n",
                     b"200 OK\r\nContent-Length: 2\r\n\r\nok"):
        connection.sendall(b"HTTP/1.1 " + response)
        time.sleep(0.1)
    connection.close()


server, frontend = raw_server(serve), free_port()
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 default_backend b
backend b
 server s 127.0.0.1:{server}
""") as haproxy:
    get(frontend)
    wait_for(lambda: haproxy.row("b", "BACKEND")["hrsp_2xx"] == "1", "the end of the response")
    columns = ("req_tot", "hrsp_1xx", "hrsp_2xx")
    expect("server", haproxy.cells("b", "s", *columns),
           {"req_tot": "3", "hrsp_1xx": "2", "hrsp_2xx": "1"})
    for proxy, name in (("b", "BACKEND"), ("f", "FRONTEND")):
        expect(name, haproxy.cells(proxy, name, *columns),
               {"req_tot": "1", "hrsp_1xx": "0", "hrsp_2xx": "1"})
PY
