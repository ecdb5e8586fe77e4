// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { align } from "./align.ts";
import { readExpectedLine } from "./expected_line.ts";
import { disagreements } from "./facts.ts";

Deno.test("expectation: what Rust prints of a struct", () => {
  const line = 'Info { msg_type: Request, ids: Ids([Id { prio: 1, field: "a\\"b" }]), n: ' +
    "Some(5), none: None, at: 12s, kind: Publish { dup: false }, list: [1, 2] } is_info: true";
  assert.deepEqual(readExpectedLine(line), {
    $name: "Info",
    msg_type: "Request",
    ids: [{ $name: "Id", prio: 1, field: 'a"b' }],
    n: 5,
    none: null,
    at: "12s",
    kind: { $name: "Publish", dup: false },
    list: [1, 2],
  });
});

Deno.test("expectation: JSON with words behind, numbers beyond 2^53, no message", () => {
  const line = '{"msg_type":"Request","text":"} {"} headers_offset: 0 is_dns: true';
  assert.deepEqual(readExpectedLine(line), { msg_type: "Request", text: "} {" });
  assert.equal(readExpectedLine("A { id: 18446744073709551615 }")?.id, 18446744073709551615n);
  assert.equal(readExpectedLine("parse failed parse failed"), null);
});

Deno.test("alignment: what is missing and what is more stay alone", () => {
  const of = (...ids: string[]) => ids.map((id) => ({ facts: { kind: "request", id } }));
  const pairs = align(of("1", "2", "3"), of("1", "3", "4"));
  const shown = pairs.map(({ expected, ours }) => `${expected?.facts.id}-${ours?.facts.id}`);
  assert.deepEqual(shown, ["1-1", "2-undefined", "3-3", "undefined-4"]);
});

Deno.test("facts: only what is stated is compared, types by their letters", () => {
  assert.deepEqual(disagreements({ type: "Client Hello" }, { type: "ClientHello", id: "1" }), []);
  assert.deepEqual(disagreements({ type: "GET", code: 200 }, { type: "get" }), ["code"]);
});
