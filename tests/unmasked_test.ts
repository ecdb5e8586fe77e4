// SPDX-License-Identifier: Apache-2.0
// Values stay out of messages, and are in them where they are asked for.

import assert from "node:assert/strict";
import { PROTOCOLS } from "../operators/protocols/registry.gen.ts";
import { createRegistry } from "../operators/wire/registry.ts";
import { unmasked } from "../operators/wire/unmasked.ts";
import { runGolden } from "./support/wire/golden_run.ts";

const SECRET = "hunter2";
const statement = `select * from users where password = '${SECRET}'`;
const text = new TextEncoder();

const REQUESTS: Readonly<Record<string, Uint8Array>> = {
  redis: text.encode(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$7\r\n${SECRET}\r\n`),
  http: text.encode(`GET /a?password=${SECRET} HTTP/1.1\r\nHost: a\r\n\r\n`),
  mysql: Uint8Array.of(statement.length + 1, 0, 0, 0, 3, ...text.encode(statement)),
  postgresql: Uint8Array.of(0x51, 0, 0, 0, statement.length + 5, ...text.encode(statement), 0),
  cassandra: Uint8Array.of(
    ...[4, 0, 0, 1, 7, 0, 0, 0, statement.length + 7, 0, 0, 0, statement.length],
    ...text.encode(statement),
    ...[0, 1, 0],
  ),
};

const registry = createRegistry(PROTOCOLS);

for (const [name, bytes] of Object.entries(REQUESTS)) {
  Deno.test(`values of ${name} are masked, and shown on demand`, () => {
    const protocol = registry.byName(name);
    assert.ok(protocol !== undefined);
    const steps = [{ kind: "call", up: true, bytes, length: bytes.length }] as const;
    const masked = runGolden(protocol, "tcp", steps).lines.join();
    const shown = runGolden(unmasked(protocol), "tcp", steps).lines.join();
    assert.match(masked, /"up":"request"/);
    assert.ok(!masked.includes(SECRET), masked);
    assert.ok(shown.includes(SECRET), shown);
  });
}

Deno.test("later flights of a TLS handshake are told on demand, each once", () => {
  const tls = registry.byName("tls");
  assert.ok(tls !== undefined);
  const record = (type: number, ...body: number[]) => [type, 3, 3, 0, body.length, ...body];
  const hello = (type: number, ...rest: number[]) => {
    const body = [3, 3, ...new Uint8Array(32), 0, ...rest];
    return record(22, type, 0, 0, body.length, ...body);
  };
  const talk: readonly (readonly [up: boolean, bytes: readonly number[]])[] = [
    [true, hello(1, 0, 2, 0x13, 1, 1, 0)],
    [false, [...hello(2, 0, 0x2f, 0), ...record(22, 14, 0, 0, 0)]],
    [true, [...record(22, 16, 0, 0, 1, 7), ...record(20, 1), ...record(22, 9, 9, 9, 9)]],
    [false, [...record(22, 4, 0, 0, 1, 7), ...record(20, 1), ...record(22, 9, 9, 9, 9)]],
    [true, record(23, 1, 2, 3)],
  ];
  const steps = talk.map(([up, bytes]) => (
    { kind: "call", up, bytes: Uint8Array.from(bytes), length: bytes.length } as const
  ));
  const types = (protocol: typeof tls) =>
    runGolden(protocol, "tcp", steps).lines.map((line) => JSON.parse(line).type);
  assert.deepEqual(types(tls), ["ClientHello", "ServerHello"]);
  const all = ["ClientHello", "ServerHello", "ClientKeyExchange", "NewSessionTicket"];
  assert.deepEqual(types(unmasked(tls)), all);
});
