// SPDX-License-Identifier: Apache-2.0
// Joined midway, the first thing seen may be the beginning of a long statement.

import assert from "node:assert/strict";
import { mysql } from "./mysql/mysql.ts";
import { postgresql } from "./postgresql/postgresql.ts";
import { startsStatement } from "./sql_start.ts";

const SQL = new TextEncoder().encode(`SELECT * FROM t WHERE a IN (${"1, ".repeat(3_000)}1)`);
const PROSE = new TextEncoder().encode("It was a dark and stormy night. ".repeat(300));

/** `Q` or `P` with a name | length u32 | text NUL */
const postgres = (head: string, text: Uint8Array): Uint8Array => {
  const name = new TextEncoder().encode(head.slice(1));
  const bytes = new Uint8Array(5 + name.length + text.length + 1);
  bytes[0] = head.charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, bytes.length - 1);
  bytes.set(name, 5);
  bytes.set(text, 5 + name.length);
  return bytes;
};

/** length u24le | 0 | 3 (QUERY) | text */
const my = (text: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(5 + text.length);
  new DataView(bytes.buffer).setUint32(0, text.length + 1, true);
  bytes[4] = 3;
  bytes.set(text, 5);
  return bytes;
};

for (
  const [name, protocol, whole, other] of [
    ["a query of PostgreSQL", postgresql, postgres("Q", SQL), postgres("Q", PROSE)],
    ["a named Parse", postgresql, postgres("Ps1\0", SQL), postgres("Ps1\0", PROSE)],
    ["a query of MySQL", mysql, my(SQL), my(PROSE)],
  ] as const
) {
  Deno.test(`${name} that is clipped, or goes on in the next segment, is claimed`, () => {
    assert.equal(protocol.probe(whole.subarray(0, 1_024), whole.length).kind, "request");
    assert.equal(protocol.probe(whole.subarray(0, 1_448), 1_448).kind, "request");
    assert.equal(protocol.probe(other.subarray(0, 1_448), 1_448).kind, "no");
  });
}

Deno.test("statements begin with a verb, behind space and comments", () => {
  for (const text of [" select 1", "/* a */ x", "-- a", "(SELECT 1)", "WITH a AS"]) {
    assert.ok(startsStatement(text), text);
  }
  for (const text of ["selects", "It was", "", "GET / HTTP/1.1"]) {
    assert.ok(!startsStatement(text), text);
  }
});
