// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { SECOND } from "../model/time.ts";
import { Conversation } from "../tests/support/wire/conversation.ts";
import { wireChain } from "../tests/support/wire/wire_chain.ts";
import { PROTOCOLS } from "./protocols/registry.gen.ts";
import { byteSet } from "./wire/byte_set.ts";
import { defineProtocol } from "./wire/protocol.ts";
import { createRegistry } from "./wire/registry.ts";

const PING = "*1\r\n$4\r\nPING\r\n";
const GET = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

const only = (name: string) => PROTOCOLS.filter((protocol) => protocol.name === name);

const protocols = (chain: ReturnType<typeof wireChain>) =>
  chain.messages.flatMap((event) => event.kind === "message" ? [event.protocol] : []);

const verdicts = (chain: ReturnType<typeof wireChain>) => chain.verdicts.map((v) => v.verdict);

Deno.test("the first bytes claim a connection, from either side", () => {
  const redis = wireChain(), talk = new Conversation();
  redis.push(talk.up(PING), talk.down("+PONG\r\n"));
  assert.deepEqual(protocols(redis), ["redis", "redis"]);
  assert.deepEqual(verdicts(redis), ["all"]);
  const http = wireChain(), other = new Conversation({ role: "unknown" });
  http.push(other.down(OK));
  assert.deepEqual(protocols(http), ["http"]);
});

Deno.test("bytes that say too little are held until they say enough", () => {
  const chain = wireChain(), talk = new Conversation();
  for (const byte of "GET ") chain.push(talk.up(byte));
  assert.deepEqual(verdicts(chain), []);
  chain.push(talk.up(GET.slice(4)), talk.down(OK));
  assert.deepEqual(protocols(chain), ["http", "http"]);
  const [first] = chain.messages;
  assert.equal(first?.kind === "message" && first.offset, 0);
  assert.equal(first?.kind === "message" && first.startNs < first.emitNs - SECOND / 1000n, true);
});

Deno.test("nobody's bytes are ignored, and asked about again much later", () => {
  const chain = wireChain(), talk = new Conversation();
  const noise = "\x01\xfe\x02\xfd".repeat(600);
  for (let n = 0; n < 6; n++) chain.push(talk.up(noise));
  assert.deepEqual(verdicts(chain), ["ignore"]);
  chain.push(talk.up(GET));
  assert.deepEqual(protocols(chain), []);
  chain.push(talk.up(GET, { atNs: talk.nowNs + 61n * SECOND }));
  assert.deepEqual(protocols(chain), ["http"]);
});

Deno.test("unknown TCP, if asked for: exchanges counted in bytes, the first ones too", () => {
  const chain = wireChain({ unknownTcp: true }), talk = new Conversation();
  const noise = "\x01\xfe\x02\xfd".repeat(300);
  for (let n = 0; n < 5; n++) chain.push(talk.up(noise), talk.down("\x01"));
  chain.push(talk.close());
  assert.deepEqual(verdicts(chain), ["count"]);
  const closed = chain.events.filter((event) => event.kind === "closed");
  assert.deepEqual(
    closed.map(({ exchange: x }) => [x.protocol, x.bytesRequest, x.bytesResponse]),
    Array.from({ length: 5 }, () => ["unknown", 1_200, 1]),
  );
});

Deno.test("a short connection of unknown bytes counts, too", () => {
  const chain = wireChain({ unknownTcp: true }), talk = new Conversation();
  chain.push(talk.up("\x01\x02"), talk.down("\x03"), talk.close());
  assert.equal(chain.events.at(-1)?.exchange.bytesResponse, 1);
});

Deno.test("a connection that ends while the probes still wait: the best claim decides", () => {
  const chain = wireChain(), talk = new Conversation();
  chain.push(talk.up("USER anna\r\n"));
  assert.deepEqual(protocols(chain), [], "several protocols know this word");
  chain.push(talk.close());
  assert.equal(protocols(chain).length, 1);
});

Deno.test("a connection joined in mid-message is picked up at a later call", () => {
  const chain = wireChain();
  const talk = new Conversation({ joinedMidstream: true });
  chain.push(talk.down("\x00\x17rest of a body".repeat(1_000)));
  chain.push(talk.up(GET), talk.down(OK));
  assert.deepEqual(protocols(chain), ["http", "http"]);
  assert.deepEqual(verdicts(chain), ["prefix"]);
});

Deno.test("a claim that proves wrong is withdrawn, and the others are asked", () => {
  const greedy = defineProtocol({
    name: "greedy",
    spec: "https://example.org/",
    transports: ["tcp"],
    fields: {},
    timeoutNs: SECOND,
    pairing: "order",
    capture: "prefix",
    starts: byteSet("G"),
    probe: () => ({ kind: "request", score: 99 }),
    open: () => ({}),
    read(cursor) {
      cursor.enter(1);
      cursor.u16();
      return { kind: "nothing" };
    },
  });
  const chain = wireChain({ registry: createRegistry([greedy, ...only("http")]) });
  const talk = new Conversation();
  for (let n = 0; n < 6; n++) chain.push(talk.up(GET), talk.down(OK));
  assert.equal(chain.drops.claim_withdrawn, 1);
  assert.deepEqual(protocols(chain).slice(-2), ["http", "http"]);
  assert.deepEqual(verdicts(chain), ["prefix", "prefix"]);
});

Deno.test("pipelining asks for all bytes", () => {
  const chain = wireChain(), talk = new Conversation();
  chain.push(talk.up(GET + GET));
  assert.deepEqual(verdicts(chain), ["prefix", "all"]);
});

Deno.test("an upgrade to what nobody reads: the connection is let alone", () => {
  const chain = wireChain({ registry: createRegistry(only("http")) });
  const talk = new Conversation();
  chain.push(
    talk.up("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
    talk.down("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
    talk.up("\x81\x02hi"),
    talk.up(GET),
  );
  assert.deepEqual(verdicts(chain), ["prefix", "ignore"]);
  assert.deepEqual(protocols(chain), ["http", "http"]);
});

Deno.test("headers behind headers, in either direction, come to an end", () => {
  const chain = wireChain(), talk = new Conversation();
  const headers = "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n".repeat(2_000);
  chain.push(talk.up(headers), talk.down(headers), talk.up(GET), talk.down(headers));
  assert.deepEqual(protocols(chain).filter((name) => name === "proxy_protocol"), []);
});

Deno.test("what goes through a tunnel is claimed anew", () => {
  const chain = wireChain(), talk = new Conversation();
  chain.push(
    talk.up("CONNECT cache:6379 HTTP/1.1\r\n\r\n"),
    talk.down("HTTP/1.1 200 OK\r\n\r\n"),
    talk.up(PING),
    talk.down("+PONG\r\n"),
  );
  assert.deepEqual(protocols(chain), ["http", "http", "redis", "redis"]);
});
