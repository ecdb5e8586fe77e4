# SPDX-License-Identifier: Apache-2.0
# A thread per connection, as Python's own server does it; one thread for all with THREADS=no.

import os
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

from ends import call, plan_of

IS_THREADED = os.environ.get("THREADS") != "no"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1" if IS_THREADED else "HTTP/1.0"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        call(plan_of(self.path))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


Server = ThreadingHTTPServer if IS_THREADED else HTTPServer
Server.request_queue_size = 512
Server.daemon_threads = True
Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
