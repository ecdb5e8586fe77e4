# SPDX-License-Identifier: Apache-2.0
# What the threaded Python programs call, each thread over connections of its own, and the log of
# what was called for what. A path is /PLAN/TOKEN; the letters of the plan are the calls in order.

import http.client
import os
import secrets
import socket
import struct
import threading

mine = threading.local()
log = os.open(os.environ["LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection, connection.makefile("rb")


def ask_redis(token):
    if not hasattr(mine, "redis"):
        mine.redis = connect(int(os.environ["REDIS_PORT"]))
    connection, file = mine.redis
    connection.sendall(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(token), token.encode()))
    file.readline()


def ask_http(token):
    if not hasattr(mine, "http"):
        mine.http = http.client.HTTPConnection("127.0.0.1", int(os.environ["LEAF_PORT"]))
    mine.http.request("GET", f"/leaf/{token}")
    mine.http.getresponse().read()


def ask_postgres(token):
    if not hasattr(mine, "postgres"):
        mine.postgres = connect(int(os.environ["POSTGRES_PORT"]))
        facts = b"user\0postgres\0database\0postgres\0\0"
        mine.postgres[0].sendall(struct.pack("!ii", len(facts) + 8, 196608) + facts)
        read_until_ready(mine.postgres[1])
    connection, file = mine.postgres
    text = b"SELECT '%s', pg_sleep(random() * 0.004)\0" % token.encode()
    connection.sendall(b"Q" + struct.pack("!i", len(text) + 4) + text)
    read_until_ready(file)


def read_until_ready(file):
    kind = b""
    while kind != b"Z":
        kind, length = struct.unpack("!ci", file.read(5))
        file.read(length - 4)


CALLS = {"r": ask_redis, "h": ask_http, "p": ask_postgres}


def plan_of(path):
    _, plan, token = path.split("/")
    calls = [(letter, secrets.token_hex(6)) for letter in plan if letter in CALLS]
    os.write(log, (" ".join([token, *(each for _, each in calls)]) + "\n").encode())
    return calls


def call(calls):
    for letter, token in calls:
        CALLS[letter](token)
