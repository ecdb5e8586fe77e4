# SPDX-License-Identifier: Apache-2.0
# aiohttp's server and client. Calls between the same dots of a plan run at the same time, each in a
# task of its own: /r.hr/TOKEN. POOL: connections per end. UVLOOP=1: on that loop.

import asyncio
import os
import secrets

import aiohttp
from aiohttp import web

POOL = int(os.environ.get("POOL", "64"))
log = os.open(os.environ["LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
idle = []
clients = []


async def redis(token):
    reader, writer = idle.pop() if idle else (
        await asyncio.open_connection("127.0.0.1", int(os.environ["REDIS_PORT"])))
    writer.write(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(token), token.encode()))
    await reader.readline()
    idle.append((reader, writer))


async def leaf(token):
    url = f"http://127.0.0.1:{os.environ['LEAF_PORT']}/leaf/{token}"
    async with clients[0].get(url) as response:
        await response.read()


async def handle(request):
    token = request.match_info["token"]
    groups = [
        [(letter, secrets.token_hex(6)) for letter in group if letter in "rh"]
        for group in request.match_info["plan"].split(".")
    ]
    called = [each for group in groups for _, each in group]
    os.write(log, (" ".join([token, *called]) + "\n").encode())
    for group in groups:
        if group:
            made = [asyncio.create_task({"r": redis, "h": leaf}[end](own)) for end, own in group]
            await asyncio.wait(made)
    return web.Response(text="ok")


async def start():
    clients.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=POOL)))
    app = web.Application()
    app.router.add_get("/{plan}/{token}", handle)
    return app


if os.environ.get("UVLOOP"):
    import uvloop
    uvloop.install()
web.run_app(start(), host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
