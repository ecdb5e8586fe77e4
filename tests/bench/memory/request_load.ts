// SPDX-License-Identifier: Apache-2.0
// A client of Redis and HTTP that sends a given number of requests per second and costs little:
// blocking calls of the C library, a few requests in flight at a time. A process of its own, for
// the tracer does not see itself. Prints the number of requests sent once a second.
//
// Arguments: port of Redis, port of HTTP, requests per second.

import { checked, openLibc } from "../../../ffi/libc.ts";

const CONNECTIONS = 32;
/** Of so many requests the last one is HTTP. */
const REQUESTS_PER_HTTP = 4;
const TICK_MS = 1;
const REPORT_MS = 1_000;
const AF_INET = 2;
const SOCK_STREAM = 1;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const;

if (import.meta.main) await load(Deno.args.map(Number));

async function load([redisPort = 0, httpPort = 0, perSecond = 0]: readonly number[]) {
  using libc = openLibc();
  const sockets = Deno.dlopen("libc.so.6", SYMBOLS);
  const encoder = new TextEncoder();
  const buffer = new Uint8Array(4_096);
  const redis = Array.from({ length: CONNECTIONS }, () => connect(redisPort));
  const http = Array.from({ length: CONNECTIONS }, () => connect(httpPort));
  let sent = 0;

  function connect(port: number): number {
    const address = new Uint8Array(16);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_INET, true);
    view.setUint16(2, port);
    address.set([127, 0, 0, 1], 4);
    const fd = checked(libc, sockets.symbols.socket(AF_INET, SOCK_STREAM, 0), "socket", "connect");
    checked(libc, sockets.symbols.connect(fd, address, 16), "connect", "connect");
    return fd;
  }

  /** One request on each of `count` connections, then all answers. */
  function round(count: number): void {
    for (let i = 0; i < count; i++) {
      const number = sent + i;
      const isHttp = number % REQUESTS_PER_HTTP === REQUESTS_PER_HTTP - 1;
      const bytes = encoder.encode(isHttp ? httpRequest(number) : redisRequest(number));
      const fd = (isHttp ? http : redis)[i] ?? -1;
      checked(libc, Number(libc.call.write(fd, bytes, BigInt(bytes.length))), "write", "ask");
    }
    for (let i = 0; i < count; i++) {
      const isHttp = (sent + i) % REQUESTS_PER_HTTP === REQUESTS_PER_HTTP - 1;
      const fd = (isHttp ? http : redis)[i] ?? -1;
      const got = Number(libc.call.read(fd, buffer, BigInt(buffer.length)));
      if (got <= 0) throw new Error("Cannot go on asking: a server has closed its connection");
    }
    sent += count;
  }

  const startMs = performance.now();
  let reportMs = startMs + REPORT_MS;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    const nowMs = performance.now();
    // After a pause of the host it does not catch up: the rate is a bound.
    const due = Math.min((nowMs - startMs) / 1_000 * perSecond - sent, perSecond / 10);
    for (let left = Math.floor(due); left > 0; left -= CONNECTIONS) {
      round(Math.min(left, CONNECTIONS));
    }
    if (nowMs < reportMs) continue;
    reportMs += REPORT_MS;
    console.log(sent);
  }
}

function redisRequest(number: number): string {
  const key = `item:${number % 10_007}`;
  const words = number % 3 === 0 ? ["SET", key, `value ${number}`] : ["GET", key];
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

function httpRequest(number: number): string {
  return `GET /items/${number % 1_009} HTTP/1.1\r\nHost: shop.example\r\n\r\n`;
}
