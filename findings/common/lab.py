"""A HAProxy, clients and servers for the scripts in findings/."""

import csv
import http.server
import io
import os
import socket
import subprocess
import tempfile
import threading
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class HAProxy:
    """A HAProxy of one configuration, with its statistics socket; ends with the block."""

    def __init__(self, sections, global_lines=""):
        self.directory = tempfile.mkdtemp(dir=os.environ["LAB_DIRECTORY"])
        self.socket = self.directory + "/cli"
        with open(self.directory + "/cfg", "w") as file:
            file.write(
                f"global\n stats socket {self.socket} level admin\n{global_lines}\n"
                "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
                f"{sections}\n"
            )

    def __enter__(self):
        environment = dict(os.environ, LD_LIBRARY_PATH=os.environ["HAPROXY_LIBRARIES"])
        command = [os.environ["HAPROXY"], "-db", "-f", self.directory + "/cfg"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
        wait_for(lambda: "Uptime" in self.cli("show info"), "HAProxy to answer")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def cli(self, command):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(self.socket)
            except OSError:
                return ""
            client.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def row(self, proxy, name):
        """A row of `show stat` as a dictionary of texts."""
        for row in csv.DictReader(io.StringIO(self.cli("show stat")[2:])):
            if (row["pxname"], row["svname"]) == (proxy, name):
                return row
        raise SystemExit(f"no row {proxy}/{name}")

    def cells(self, proxy, name, *columns):
        row = self.row(proxy, name)
        return {column: row[column] for column in columns}

    def info(self):
        lines = self.cli("show info").splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers every GET with 200 and two bytes, after `seconds`."""

    protocol_version = "HTTP/1.1"
    seconds = 0

    def do_GET(self):
        time.sleep(self.seconds)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def http_server(handler=Answer):
    """Starts a server of `handler`; returns its port."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def raw_server(serve):
    """Starts a server that hands each connection to `serve`; returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def get(port, path="/"):
    """One request on a connection of its own; returns the status line."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    return answer.split(b"\r\n")[0].decode()


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.05)


def expect(what, seen, expected):
    """Prints what was seen; ends the script when it is not what was recorded."""
    print(f"{what}: {seen}")
    if seen != expected:
        raise SystemExit(f"changed: {what}: {seen!r}, recorded {expected!r}")
