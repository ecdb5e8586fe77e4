# SPDX-License-Identifier: Apache-2.0
# asyncio, with what services do besides calling. Letters of a plan: r Redis, h HTTP, d DNS, n the
# next service; c a cache in front of Redis, x tries again after 4 ms, t a timer, s a part of the
# answer goes out, b the answer goes out and work goes on while the next request is read.

import asyncio
import os
import random
import secrets
import socket

HOST = "127.0.0.1"
PORTS = {name: int(os.environ.get(f"{name}_PORT", 0)) for name in ("REDIS", "LEAF", "DNS", "NEXT")}
log = os.open(os.environ["LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
idle = {name: [] for name in PORTS}


async def ask(name, text, end):
    reader, writer = idle[name].pop() if idle[name] else (
        await asyncio.open_connection(HOST, PORTS[name]))
    try:
        writer.write(text.encode())
        head = await reader.readuntil(end)
        if end == b"\r\n\r\n":
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
        idle[name].append((reader, writer))
    except asyncio.CancelledError:
        writer.close()
        raise


async def redis(token):
    await ask("REDIS", f"*2\r\n$3\r\nGET\r\n${len(token)}\r\n{token}\r\n", b"\r\n")


async def http(name, path):
    await ask(name, f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n", b"\r\n\r\n")


async def dns(token):
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as udp:
        udp.connect((HOST, PORTS["DNS"]))
        question = b"\x0c%s\x04shop\0\0\x01\0\x01" % token.encode()
        await loop.sock_sendall(udp, secrets.token_bytes(2) + b"\1\0\0\1\0\0\0\0\0\0" + question)
        await loop.sock_recv(udp, 512)


async def cached(fresh):
    if random.random() < 0.5:
        await redis(fresh())


async def tries(fresh):
    for seconds in (0.004, 0.004, None):
        try:
            return await asyncio.wait_for(http("LEAF", f"/leaf/{fresh()}"), seconds)
        except asyncio.TimeoutError:
            pass


STEPS = {
    "r": lambda fresh: redis(fresh()),
    "h": lambda fresh: http("LEAF", f"/leaf/{fresh()}"),
    "d": lambda fresh: dns(fresh()),
    "n": lambda fresh: http("NEXT", f"/{os.environ['NEXT_PLAN']}/{fresh()}"),
    "c": cached,
    "x": tries,
    "t": lambda _: asyncio.sleep(0.001 + 0.004 * random.random()),
}
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 2\r\n\r\nok"


async def work(groups, token, writer):
    def fresh():
        sent = secrets.token_hex(6)
        os.write(log, f"{token} {sent}\n".encode())
        return sent

    for group in groups:
        if group == "s":
            writer.write(b"4\r\npart\r\n")
        else:
            await asyncio.gather(*(STEPS[letter](fresh) for letter in group if letter in STEPS))


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            _, plan, token = head.split(b" ")[1].decode().split("/")
            now, _, later = plan.partition(".b.")
            if "s" in now:
                writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
            await work(now.split("."), token, writer)
            writer.write(b"0\r\n\r\n" if "s" in now else WHOLE)
            if later:
                running.add(task := asyncio.create_task(work(later.split("."), token, writer)))
                task.add_done_callback(running.discard)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        pass
    finally:
        writer.close()


async def main():
    port = int(os.environ["PORT"])
    server = await asyncio.start_server(serve, HOST, port, backlog=512)
    await server.serve_forever()


running = set()
asyncio.run(main())
