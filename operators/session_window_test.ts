// SPDX-License-Identifier: Apache-2.0
// Socket events in, exchanges out: the whole chain from reassembly to the session window.

import assert from "node:assert/strict";
import { Conversation } from "../tests/support/wire/conversation.ts";
import { type WireChain, wireChain } from "../tests/support/wire/wire_chain.ts";

const closed = (chain: WireChain) =>
  chain.events.filter((event) => event.kind === "closed").map((event) => event.exchange);

const brief = (chain: WireChain) =>
  closed(chain).map((x) =>
    [
      x.request?.message.type ?? "-",
      x.request?.message.resource ?? "-",
      x.response?.message.code ?? x.status,
    ].join(" ")
  );

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const OK = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

Deno.test("a request and its response are one exchange", () => {
  const chain = wireChain(), talk = new Conversation();
  chain.push(talk.up(GET("/a")), talk.down(OK("hello"), { tid: 101, turn: 7 }));
  assert.deepEqual(chain.events.map((event) => event.kind), ["opened", "closed"]);
  const exchange = closed(chain)[0];
  assert.ok(exchange);
  const { connection, program, request, response, ...rest } = exchange;
  assert.equal(connection, talk.connection);
  assert.equal(program, talk.program);
  assert.equal(request?.message.resource, "/a");
  assert.equal(response?.message.code, 200);
  assert.deepEqual(rest, {
    spanId: rest.spanId,
    protocol: "http",
    kind: "client",
    startNs: 1_000_990_000n,
    endNs: 1_002_000_000n,
    endTid: 101,
    endTurn: 7,
    bytesRequest: GET("/a").length,
    bytesResponse: OK("hello").length,
    status: "ok",
    shape: "exchange",
    lateFields: null,
    clipped: false,
  });
  assert.deepEqual(chain.verdicts.map((v) => v.verdict), ["prefix"]);
  assert.deepEqual(chain.drops, {});
});

Deno.test("pipelined requests pair with their responses in order", () => {
  const chain = wireChain(), talk = new Conversation({ role: "server" });
  chain.push(
    talk.up("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n*1\r\n$4\r\nPI"),
    talk.up("NG\r\n"),
    talk.down("$1\r\n1\r\n-ERR no\r\n+PO"),
    talk.down("NG\r\n"),
  );
  assert.deepEqual(brief(chain), ["GET GET a ok", "GET GET b client_error", "PING PING ok"]);
  assert.deepEqual(closed(chain).map((x) => x.kind), ["server", "server", "server"]);
  assert.deepEqual(closed(chain).map((x) => x.request?.offset), [0, 20, 40]);
  assert.deepEqual(closed(chain).map((x) => x.request?.seq), [1000, 1020, 1040]);
  assert.deepEqual(closed(chain).map((x) => x.bytesResponse), [7, 9, 7]);
});

Deno.test("a long response is known by its head and counted to its last byte", () => {
  const chain = wireChain(), talk = new Conversation();
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
  chain.push(talk.up(GET("/big")), talk.down(head + "x".repeat(1000), { captured: 512 }));
  assert.deepEqual(chain.events.map((event) => event.kind), ["opened", "responded"]);
  chain.advance(talk.nowNs + 2_000_000_000n);
  assert.deepEqual(chain.events.at(-1)?.kind, "streaming");
  assert.equal(chain.events.at(-1)?.exchange.shape, "open");
  chain.push(talk.down("x".repeat(4000), { captured: 10 }), talk.up(GET("/next")));
  assert.equal(closed(chain)[0]?.bytesResponse, head.length + 5000);
  assert.equal(closed(chain)[0]?.shape, "exchange");
  assert.deepEqual(chain.drops, {});
});

Deno.test("a response whose end is not captured is over when the connection is silent", () => {
  const chain = wireChain(), talk = new Conversation();
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const body = `3e8\r\n${"x".repeat(1000)}\r\n7\r\n1234567\r\n0\r\n\r\n`;
  chain.push(talk.up(GET("/chunked")), talk.down(head), talk.down(body, { captured: 256 }));
  const lastNs = talk.nowNs;
  chain.advance(lastNs + 400_000_000n);
  assert.deepEqual(closed(chain), []);
  chain.advance(lastNs + 600_000_000n);
  assert.deepEqual(brief(chain), ["GET /chunked 200"]);
  assert.equal(closed(chain)[0]?.endNs, lastNs);
  assert.equal(closed(chain)[0]?.bytesResponse, head.length + body.length);
  chain.push(talk.up(GET("/next")), talk.down(OK("")));
  assert.deepEqual(brief(chain).at(-1), "GET /next 200");
  assert.deepEqual(chain.drops, {});
});

Deno.test("no response in the protocol's time is a timeout, a late one is counted", () => {
  const chain = wireChain(), talk = new Conversation();
  chain.push(talk.up(GET("/slow")));
  chain.advance(talk.nowNs + 130_000_000_000n);
  assert.deepEqual(brief(chain), ["GET /slow timeout"]);
  chain.push(talk.down(OK("")), talk.up(GET("/b")), talk.down(OK("")));
  assert.deepEqual(brief(chain), ["GET /slow timeout", "GET /b 200"]);
  assert.deepEqual(chain.drops, { late: 1 });
});

Deno.test("an open exchange ends with its connection", () => {
  for (const reason of ["close", "reset", "exit"] as const) {
    const chain = wireChain(), talk = new Conversation();
    chain.push(talk.up(GET("/a")), talk.close(reason));
    assert.deepEqual(brief(chain), ["GET /a reset"]);
    assert.equal(closed(chain)[0]?.endNs, talk.nowNs);
  }
});

Deno.test("a response that ends with its connection is complete", () => {
  const chain = wireChain(), talk = new Conversation();
  chain.push(talk.up(GET("/a")), talk.down("HTTP/1.0 200 OK\r\n\r\nabc"), talk.down("def"));
  chain.push(talk.eof("ingress"), talk.close());
  assert.deepEqual(brief(chain), ["GET /a 200"]);
  assert.equal(closed(chain)[0]?.status, "ok");
  assert.equal(closed(chain)[0]?.bytesResponse, 25);
});

Deno.test("a response whose request was before the capture stands alone", () => {
  const chain = wireChain(), talk = new Conversation({ joinedMidstream: true });
  chain.push(talk.down(OK("x")), talk.up(GET("/a")), talk.down(OK("y")));
  chain.advance(talk.nowNs + 1_000_000_000n);
  assert.deepEqual(closed(chain).map((x) => x.shape), ["response_only", "exchange"]);
  assert.deepEqual(chain.drops, { unpaired_response: 1 });
});

Deno.test("a response recorded before its request is its response", () => {
  const chain = wireChain(), talk = new Conversation();
  const request = talk.up(GET("/a"), { atNs: 5_000_000n });
  const response = talk.down(OK("x"), { atNs: 4_999_000n });
  chain.push(response, request);
  assert.deepEqual(brief(chain), ["GET /a 200"]);
});

Deno.test("one socket and many peers: equal ids of different peers do not meet", () => {
  const chain = wireChain();
  const talk = new Conversation({ transport: "udp", role: "server" });
  const question = (flags: string) => `\x12\x34${flags}\0\x01\0\0\0\0\0\0\x01a\x02bc\0\0\x01\0\x01`;
  const datagram = (port: number, way: "up" | "down", flags: string) => ({
    ...talk[way](question(flags)),
    peer: { ip: "10.0.0.1", port },
  });
  chain.push(datagram(1, "up", "\x01\0"), datagram(2, "up", "\x01\0"));
  chain.push(datagram(2, "down", "\x81\x83"), datagram(1, "down", "\x81\x80"));
  assert.deepEqual(
    closed(chain).map((
      x,
    ) => [x.protocol, x.connection.peer.port, x.kind, x.response?.message.code]),
    [["dns", 2, "server", 3], ["dns", 1, "server", 0]],
  );
  assert.equal(new Set(closed(chain).map((x) => x.spanId)).size, 2);
  assert.equal(chain.verdicts.length, 1, "the socket is claimed once");
  assert.equal(chain.verdicts[0]?.connection, talk.connection);
});

Deno.test("span ids are the same on replay, and differ by place, direction and socket", () => {
  const run = (cookie: bigint) => {
    const chain = wireChain(), talk = new Conversation({ cookie });
    chain.push(talk.up(GET("/a")), talk.down(OK("")), talk.up(GET("/a")), talk.down(OK("")));
    return closed(chain).map((x) => x.spanId);
  };
  assert.deepEqual(run(1n), run(1n));
  assert.equal(new Set([...run(1n), ...run(2n), ...run(1n << 40n)]).size, 6);
});

Deno.test("bytes lost inside a pipeline pair nothing until the order is found again", () => {
  const chain = wireChain(), talk = new Conversation();
  const ping = "*1\r\n$4\r\nPING\r\n", pong = "+PONG\r\n";
  chain.push(talk.up(ping + ping + ping));
  talk.down(pong); // Not recorded: the ring was full.
  chain.push(talk.down(pong + pong));
  chain.advance(talk.nowNs + 100_000_000n);
  assert.deepEqual(closed(chain).map((x) => x.status), ["unknown", "unknown", "unknown"]);
  for (let round = 0; round < 2; round++) chain.push(talk.up(ping), talk.down(pong));
  assert.equal(closed(chain).length, 3, "not sure yet");
  for (let round = 0; round < 2; round++) chain.push(talk.up(ping), talk.down(pong));
  assert.deepEqual(closed(chain).slice(3).map((x) => x.status), ["ok", "ok"]);
});
