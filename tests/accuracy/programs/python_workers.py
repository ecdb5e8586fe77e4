# SPDX-License-Identifier: Apache-2.0
# One thread reads all requests and hands them to a ThreadPoolExecutor of eight. The worker writes
# the response; with ANSWERED_BY=reader the reading thread does, when the worker is done.

import os
import selectors
import socket
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from ends import call, plan_of

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BY_READER = os.environ.get("ANSWERED_BY") == "reader"

pool = ThreadPoolExecutor(8)
selector = selectors.DefaultSelector()
done = deque()
# A pipe wakes the reader, as loops do it; it is no socket, so that no one takes it for traffic.
woken, waker = os.pipe()


def work(connection, path):
    call(plan_of(path))
    if not BY_READER:
        connection.sendall(ANSWER)
        return
    done.append(connection)
    os.write(waker, b"x")


def accept(listener):
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection, selectors.EVENT_READ, read)


def read(connection):
    head = connection.recv(4096)
    if head:
        pool.submit(work, connection, head.split(b" ")[1].decode())
    else:
        selector.unregister(connection)
        connection.close()


def answer(_):
    os.read(woken, 4096)
    while done:
        done.popleft().sendall(ANSWER)


listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=512)
selector.register(listener, selectors.EVENT_READ, accept)
selector.register(woken, selectors.EVENT_READ, answer)
while True:
    for key, _ in selector.select():
        key.data(key.fileobj)
