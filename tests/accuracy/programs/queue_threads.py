# SPDX-License-Identifier: Apache-2.0
# Threads and NATS: a producer, a thread per connection, that answers once it has published, and a
# consumer (ROLE=consumer) that reads messages and calls for them one by one. The subject is
# jobs.PLAN.TOKEN.

import os
import secrets
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ends import call, log, plan_of

mine = threading.local()


def broker():
    connection = socket.create_connection(("127.0.0.1", int(os.environ["NEXT_PORT"])))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    file = connection.makefile("rb")
    file.readline()
    connection.sendall(b'CONNECT {"verbose":false}\r\n')
    return connection, file


def consume():
    connection, file = broker()
    connection.sendall(b"SUB jobs.> 1\r\n")
    for line in file:
        verb, *words = line.decode().split(" ")
        if verb.startswith("PING"):
            connection.sendall(b"PONG\r\n")
        elif verb == "MSG":
            file.readline()
            _, plan, token = words[0].split(".")
            call(plan_of(f"/{plan}/{token}"))


def publish(plan, token):
    if not hasattr(mine, "broker"):
        mine.broker = broker()
    mine.broker[0].sendall(f"PUB jobs.{plan.replace('.', '')}.{token} 2\r\n{{}}\r\n".encode())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        _, plan, token = self.path.split("/")
        sent = secrets.token_hex(6)
        os.write(log, f"{token} {sent}\n".encode())
        publish(plan, sent)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


if os.environ.get("ROLE") == "consumer":
    threading.Thread(target=consume, daemon=True).start()
ThreadingHTTPServer.request_queue_size = 512
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
