# SPDX-License-Identifier: Apache-2.0
# asyncio streams. POOL=n: n connections per end, handed on in turn (asyncio.Queue); without, every
# call opens its own. Calls between the same dots of a plan run at the same time: /r.hr/TOKEN.

import asyncio
import os
import secrets

ENDS = {"r": int(os.environ["REDIS_PORT"]), "h": int(os.environ["LEAF_PORT"])}
POOL = int(os.environ.get("POOL", "0"))
log = os.open(os.environ["LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
pools = {}


async def connect(letter):
    return await asyncio.open_connection("127.0.0.1", ENDS[letter])


async def fill_pools():
    for letter in ENDS if POOL else "":
        pools[letter] = asyncio.Queue()
        for _ in range(POOL):
            pools[letter].put_nowait(await connect(letter))


async def call(letter, token):
    connection = await (pools[letter].get() if POOL else connect(letter))
    reader, writer = connection
    if letter == "r":
        writer.write(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(token), token.encode()))
        await reader.readline()
    else:
        writer.write(f"GET /leaf/{token} HTTP/1.1\r\nHost: leaf\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(4)
    if POOL:
        pools[letter].put_nowait(connection)
    else:
        writer.close()


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            _, plan, token = head.split(b" ")[1].decode().split("/")
            groups = [
                [(letter, secrets.token_hex(6)) for letter in group if letter in ENDS]
                for group in plan.split(".")
            ]
            called = [each for group in groups for _, each in group]
            os.write(log, (" ".join([token, *called]) + "\n").encode())
            for group in groups:
                await asyncio.gather(*(call(*each) for each in group))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        pass
    finally:
        writer.close()


async def main():
    await fill_pools()
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]), backlog=512)
    await server.serve_forever()


asyncio.run(main())
