// SPDX-License-Identifier: Apache-2.0
// Connections that live long, as services keep them: questions and answers, a message a call.

import type { Talk } from "../../fuzz/corpus.ts";
import type { Step } from "../../support/wire/golden_fixture.ts";

const MESSAGES = 1_000;

export const redisGets = (): Talk => keepAlive("redis", redisGet);
export const httpGets = (): Talk => keepAlive("http", httpGet);

function keepAlive(protocol: string, pair: (n: number) => readonly [string, string]): Talk {
  const steps = Array.from({ length: MESSAGES / 2 }, (_, n) => pair(n)).flatMap((texts) =>
    texts.map((text, i): Step => {
      const bytes = new TextEncoder().encode(text);
      return { kind: "call", up: i === 0, bytes, length: bytes.length };
    })
  );
  return { name: "GET", protocol, transport: "tcp", steps };
}

/** As redis-benchmark does it. */
function redisGet(n: number): [string, string] {
  const key = `key:${String(n % 100).padStart(12, "0")}`;
  return [`*2\r\n$3\r\nGET\r\n$16\r\n${key}\r\n`, "$3\r\nxxx\r\n"];
}

/** As wrk and nginx do it. */
function httpGet(n: number): [string, string] {
  const request = `GET /api/items/${n}?page=2 HTTP/1.1\r\nHost: shop.local:8080\r\n` +
    "User-Agent: wrk/4.1.0\r\nAccept: */*\r\n\r\n";
  const response = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n" +
    "Date: Sun, 22 Nov 2026 22:00:00 GMT\r\nContent-Type: application/json\r\n" +
    'Content-Length: 27\r\nConnection: keep-alive\r\n\r\n{"id":1,"name":"A thing"}\r\n';
  return [request, response];
}
