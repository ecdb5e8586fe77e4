// SPDX-License-Identifier: Apache-2.0
// What producers hand to a broker and what it hands to consumers bear the same key, protocol by
// protocol, and other messages another.

import assert from "node:assert/strict";
import { PROTOCOLS } from "../operators/protocols/registry.gen.ts";
import type { Step } from "./support/wire/golden_fixture.ts";
import { runGolden } from "./support/wire/golden_run.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (each) => each.charCodeAt(0));
function call(text: string, up: boolean): Step {
  const bytes = bytesOf(text);
  return { kind: "call", up, bytes, length: bytes.length };
}
const up = (text: string): Step => call(text, true);
const down = (text: string): Step => call(text, false);

/** Keys of what was published, or delivered, in order. */
function keysIn(name: string, steps: readonly Step[]): string[] {
  const protocol = PROTOCOLS.find((each) => each.name === name);
  assert.ok(protocol !== undefined);
  return runGolden(protocol, "tcp", steps).lines.flatMap((line) => {
    const { envelope = "", deliveries = [] } = JSON.parse(line);
    return [envelope, ...deliveries].flatMap((text: string) =>
      /\b(?:publish|deliver) /.test(text) ? text.match(/\b[0-9a-f]{12,16}\b/g) ?? [] : []
    );
  });
}

const frame = (type: number, channel: number, payload: string): string => {
  const size = payload.length;
  const head = [type, channel >> 8, channel & 255, size >> 24, size >> 16 & 255, size >> 8 & 255];
  return String.fromCharCode(...head, size & 255) + payload + "\xce";
};
const short = (text: string): string => String.fromCharCode(text.length) + text;
const basic = (method: number, rest: string): string =>
  `\0\x3c\0${String.fromCharCode(method)}${rest}`;
const header = (body: string): string =>
  `\0\x3c\0\0\0\0\0\0\0\0\0${short("").slice(1)}${String.fromCharCode(body.length)}\0\0`;
const content = (method: string, body: string): string =>
  frame(1, 1, method) + frame(2, 1, header(body)) + frame(3, 1, body);
const amqpPublish = (body: string): string =>
  content(basic(40, `\0\0${short("shop")}${short("orders")}\0`), body);
const amqpDeliver = (body: string): string =>
  content(basic(60, `${short("c1")}\0\0\0\0\0\0\0\x07\0${short("shop")}${short("orders")}`), body);

const resp = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
const fields = resp("item", "7", "amount", "2");
const mqtt = (body: string): string =>
  `\x30${String.fromCharCode(8 + body.length)}\0\x06orders${body}`;

const cases: Readonly<Record<string, [name: string, publish: Step[], deliver: Step[]]>> = {
  "NATS": [
    "nats",
    [up("PUB orders 3\r\nabc\r\n")],
    [down("MSG orders 1 3\r\nabc\r\n")],
  ],
  "NATS with a message id, which counts and not the content": [
    "nats",
    [up("HPUB orders 32 35\r\nNATS/1.0\r\nNats-Msg-Id: o-17\r\n\r\nabc\r\n")],
    [down("HMSG orders 1 32 35\r\nNATS/1.0\r\nNats-Msg-Id: o-17\r\n\r\nabd\r\n")],
  ],
  "AMQP 0-9-1": ["amqp", [up(amqpPublish("abc"))], [down(amqpDeliver("abc"))]],
  "MQTT": ["mqtt", [up(mqtt("abc"))], [down(mqtt("abc"))]],
  "STOMP": [
    "stomp",
    [up("SEND\ndestination:/queue/orders\ncontent-length:3\n\nabc\0")],
    [down("MESSAGE\ndestination:/queue/orders\nmessage-id:1\nsubscription:0\n\nabc\0")],
  ],
  "an element of a list": [
    "redis",
    [up(resp("LPUSH", "orders", "abc"))],
    [up(resp("BRPOP", "orders", "0")), down(resp("orders", "abc"))],
  ],
  "elements of a list, popped without its name": [
    "redis",
    [up(resp("RPUSH", "orders", "abc", "def"))],
    [
      up(resp("LPOP", "orders")),
      down("$3\r\nabc\r\n"),
      up(resp("LPOP", "o")),
      down("$3\r\ndef\r\n"),
    ],
  ],
  "an entry of a stream": [
    "redis",
    [up(resp("XADD", "orders", "MAXLEN", "~", "1000", "*", "item", "7", "amount", "2"))],
    [
      up(resp("XREAD", "STREAMS", "orders", "$")),
      down(`*1\r\n*2\r\n$6\r\norders\r\n*1\r\n*2\r\n$3\r\n1-0\r\n${fields}`),
    ],
  ],
  "a channel": [
    "redis",
    [up(resp("PUBLISH", "orders", "abc"))],
    [
      up(resp("SUBSCRIBE", "orders")),
      down("*3\r\n$9\r\nsubscribe\r\n$6\r\norders\r\n:1\r\n"),
      down(resp("message", "orders", "abc")),
    ],
  ],
};

for (const [what, [name, publish, deliver]] of Object.entries(cases)) {
  Deno.test(`envelopes: ${what}`, () => {
    const published = keysIn(name, publish);
    assert.ok(published.length > 0);
    assert.deepEqual(keysIn(name, deliver), published);
  });
}

Deno.test("envelopes: another content, or another destination, is another message", () => {
  const key = (text: string) => keysIn("nats", [up(text)])[0];
  const keys = [
    ...["PUB orders 3\r\nabc\r\n", "PUB orders 3\r\nabd\r\n", "PUB order 3\r\nabc\r\n"],
    ...["PUB orders 4\r\nabc\0\r\n", "PUB orders 0\r\n\r\n"],
  ].map(key);
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(keys.every((each) => each !== undefined));
});

Deno.test("envelopes: of long payloads the beginning and the size count", () => {
  const key = (body: string) => keysIn("nats", [up(`PUB o ${body.length}\r\n${body}\r\n`)])[0];
  const long = "x".repeat(5_000);
  assert.equal(key(`${long}a`), key(`${long}b`));
  assert.notEqual(key(`a${long}`), key(`b${long}`));
  assert.notEqual(key(long), key(`${long}x`));
});
