# SPDX-License-Identifier: Apache-2.0
# Threads and a list of Redis: a producer, a thread per connection, that answers once it has pushed,
# and a consumer (ROLE=consumer) whose threads pop one element after the other and call for it. An
# element is PLAN/TOKEN.

import os
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ends import call, connect, log, plan_of

mine = threading.local()


def command(*words):
    if not hasattr(mine, "queue"):
        mine.queue = connect(int(os.environ["NEXT_PORT"]))
    connection, file = mine.queue
    parts = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    connection.sendall(f"*{len(words)}\r\n{parts}".encode())
    return file


def consume():
    while True:
        file = command("BLPOP", "jobs", "0")
        element = [file.readline() for _ in range(5)][4]
        call(plan_of(f"/{element.decode().strip()}"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        _, plan, token = self.path.split("/")
        sent = secrets.token_hex(6)
        os.write(log, f"{token} {sent}\n".encode())
        command("RPUSH", "jobs", f"{plan.replace('.', '')}/{sent}").readline()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


if os.environ.get("ROLE") == "consumer":
    for _ in range(4):
        threading.Thread(target=consume, daemon=True).start()
ThreadingHTTPServer.request_queue_size = 512
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
