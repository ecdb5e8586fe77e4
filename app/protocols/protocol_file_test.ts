// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Message } from "../../model/message.ts";
import { Cursor } from "../../operators/wire/cursor.ts";
import { createMake } from "../../operators/wire/make.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";
import { declaredProtocol } from "./declared_protocol.ts";

const BINARY = `
name = "acme"
[frame]
prefix = "ac 3e"
length = { at = 4, bytes = 2, adds = 6 }
[kind]
response = { at = 2, mask = 0x80 }
[type]
at = 3
names = { 1 = "LOGIN" }
[id]
at = 6
bytes = 2
`;

const LINES = `
name = "lines"
[frame]
end = "\\n"
[type]
pattern = '^cmd=(\\w+)'
[resource]
pattern = 'path=(\\S+)'
`;

function read(protocol: AnyProtocol, bytes: Uint8Array, way: "toServer" | "toClient"): Message {
  const cursor = new Cursor();
  cursor.reset(bytes, 0, bytes.length, bytes.length);
  const step = protocol.read(cursor, way, createMake(), protocol.open("tcp"));
  assert.equal(cursor.position, bytes.length);
  if (step.kind !== "message") throw new Error(`a ${step.kind} where a message was expected`);
  return step.message;
}

Deno.test("declared protocol: prefix, length, kind by a bit, named type, id", async () => {
  const acme = await declaredProtocol(BINARY);
  const request = Uint8Array.of(0xac, 0x3e, 0, 1, 0, 2, 0x12, 0x34);
  assert.deepEqual(acme.probe(request, 8), { kind: "either", score: 60 });
  assert.deepEqual(acme.probe(Uint8Array.of(0xac, 0x3f, 0, 0, 0, 0), 6), { kind: "no" });
  const { kind, type, id } = read(acme, request, "toClient");
  assert.deepEqual({ kind, type, id }, { kind: "request", type: "LOGIN", id: "4660" });
  const response = Uint8Array.of(0xac, 0x3e, 0x80, 2, 0, 2, 0x12, 0x34);
  assert.equal(read(acme, response, "toServer").kind, "response");
});

Deno.test("declared protocol: lines and patterns, kind by direction", async () => {
  const lines = await declaredProtocol(LINES);
  const bytes = new TextEncoder().encode("cmd=fetch path=/a/b\n");
  assert.deepEqual(lines.probe(bytes, bytes.length), { kind: "either", score: 70 });
  const { kind, type, resource } = read(lines, bytes, "toServer");
  assert.deepEqual([kind, type, resource], ["request", "fetch", "/a/b"]);
});

Deno.test("declared protocol: what is wrong is named", async () => {
  await assert.rejects(declaredProtocol("name = 'A B'\n[frame]\nend='x'"), /name is "A B"/);
  await assert.rejects(declaredProtocol("name = 'a'"), /neither length/);
  await assert.rejects(declaredProtocol("name = 'a'\n[frame]\nend='x'\n[type]\nbytes=9"), /type/);
});
