# SPDX-License-Identifier: Apache-2.0
# Stock of the demo shop: an ordinary Python service, a thread per connection, standard library
# only. It looks into Redis first and asks PostgreSQL for what is not there.

import json
import os
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PORT, REDIS_PORT, POSTGRES_PORT = (
    int(os.environ[name]) for name in ("PORT", "REDIS_PORT", "POSTGRES_PORT")
)
mine = threading.local()


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection, connection.makefile("rb")


class Redis:
    def __init__(self):
        self.socket, self.file = connect(REDIS_PORT)

    def ask(self, *words):
        words = [str(word).encode() for word in words]
        parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        self.socket.sendall(b"*%d\r\n%s" % (len(words), b"".join(parts)))
        kind, rest = (line := self.file.readline())[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind != b"$":
            return rest.decode()
        return None if int(rest) < 0 else self.file.read(int(rest) + 2)[:-2].decode()


class Postgres:
    def __init__(self):
        self.socket, self.file = connect(POSTGRES_PORT)
        facts = b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!ii", len(facts) + 8, 196608) + facts)
        self.rows()

    def ask(self, sql):
        text = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(text) + 4) + text)
        return self.rows()

    def rows(self):
        rows, failure = [], None
        while True:
            kind, length = struct.unpack("!ci", self.file.read(5))
            body = self.file.read(length - 4)
            if kind == b"D":
                rows.append(read_row(body))
            elif kind == b"E":
                failure = body
            elif kind == b"Z":
                if failure:
                    raise RuntimeError(failure.decode(errors="replace"))
                return rows


def read_row(body):
    values, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        (length,) = struct.unpack("!i", body[at : at + 4])
        values.append(None if length < 0 else body[at + 4 : at + 4 + length].decode())
        at += 4 + max(0, length)
    return values


def stock_of(product):
    known = mine.redis.ask("GET", f"stock:{product}")
    if known is not None:
        return known
    rows = mine.postgres.ask(f"SELECT amount FROM stock WHERE product = {product}")
    if rows:
        mine.redis.ask("SET", f"stock:{product}", rows[0][0], "EX", 2)
        return rows[0][0]
    return None


def reserve(product):
    mine.postgres.ask("BEGIN")
    rows = mine.postgres.ask(
        f"UPDATE stock SET amount = amount - 1 WHERE product = {product} RETURNING amount"
    )
    mine.postgres.ask(f"INSERT INTO orders (product, credit) VALUES ({product}, check_credit())")
    mine.postgres.ask("COMMIT")
    mine.redis.ask("DEL", f"stock:{product}")
    return rows[0][0] if rows else None


def search(words):
    text = words.replace("'", "''")
    sql = f"SELECT product FROM stock WHERE name LIKE '%{text}%' LIMIT 3"
    return json.dumps([int(row[0]) for row in mine.postgres.ask(sql)])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self):
        if not hasattr(mine, "redis"):
            mine.redis, mine.postgres = Redis(), Postgres()
        url = urlsplit(self.path)
        _, what, *rest = url.path.split("/")
        if what == "search":
            found = search(parse_qs(url.query).get("q", [""])[0])
        else:
            found = (reserve if what == "reserve" else stock_of)(int(rest[0]))
        body = (found or "null").encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


Server(("127.0.0.1", PORT), Handler).serve_forever()
