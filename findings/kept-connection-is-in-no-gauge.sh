#!/usr/bin/env bash
# Guess: with `http-reuse never`, a client that keeps its connection open after its response leaves one
# idle connection to the server, shown by idle_conn_cur; its next requests open new ones.
# Seen: the server connection stays open for that client (the server still holds it), and all of
# used_conn_cur, idle_conn_cur and safe_conn_cur are 0. The next request uses it and counts as a reuse,
# in spite of `never`.
# HAProxy 2.8.25.
. "$(dirname "$0")/common/setup.bash"
install_haproxy
lab <<'PY'
from lab import *

held = []


def serve(connection):
    held.append(connection)
    try:
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    except ConnectionResetError:
        pass  # HAProxy ends with the script.
    held.remove(connection)


server, frontend = raw_server(serve), free_port()
with HAProxy(f"""
frontend f
 bind 127.0.0.1:{frontend}
 default_backend b
backend b
 http-reuse never
 server s 127.0.0.1:{server}
""") as haproxy:
    gauges = ("used_conn_cur", "idle_conn_cur", "safe_conn_cur")
    with socket.create_connection(("127.0.0.1", frontend)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        client.recv(65536)
        wait_for(lambda: haproxy.row("b", "s")["hrsp_2xx"] == "1", "the first response")
        expect("connections that the server holds", len(held), 1)
        expect("gauges", haproxy.cells("b", "s", *gauges), dict.fromkeys(gauges, "0"))
        client.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        client.recv(65536)
        wait_for(lambda: haproxy.row("b", "s")["hrsp_2xx"] == "2", "the second response")
        expect("opened and reused", haproxy.cells("b", "s", "connect", "reuse"),
               {"connect": "1", "reuse": "1"})
PY
