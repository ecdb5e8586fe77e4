// SPDX-License-Identifier: Apache-2.0
// What is odd in a data set is read as it is, what is broken is refused in a sentence.

import assert from "node:assert/strict";
import { serviceIn } from "./read_data_set.ts";

const span = (more: Record<string, unknown>) => ({
  id: "a",
  trace: "t",
  ep: "x",
  op: "GET",
  start_us: 10,
  dur_us: 5,
  ...more,
});

const read = (incoming: unknown, outgoing: unknown) =>
  serviceIn({ service: "s", in_eps: 1, incoming, outgoing }, "service 1");

Deno.test("read_data_set: a call belongs to the request of its trace, though ids repeat", () => {
  const service = read(
    [span({ trace: "t" }), span({ trace: "u" })],
    [span({ trace: "u", parent: "a" }), span({ trace: "t", parent: "a" })],
  );
  assert.deepEqual([...service.truth], [1, 0]);
});

Deno.test("read_data_set: of a trace served twice ids tell, and an unknown parent is none", () => {
  const service = read(
    [span({ id: "a" }), span({ id: "b" })],
    [span({ parent: "b" }), span({ parent: "a" }), span({ parent: "c" })],
  );
  assert.deepEqual([...service.truth], [1, 0, -1]);
});

Deno.test("read_data_set: the solver sees no operation of a call", () => {
  const service = read([span({})], [span({ op: "secret" }), span({ op: "other" })]);
  assert.equal(service.callees, 1);
  assert.ok(!JSON.stringify(service).includes("secret"));
});

Deno.test("read_data_set: nothing served or sent, no duration, negative and written times", () => {
  assert.equal(read([], []).requests.length, 0);
  assert.equal(read([span({})], undefined).calls.length, 0);
  assert.deepEqual(read([span({ start_us: -10, dur_us: 0 })], null).requests, [
    { kind: 0, startUs: -10, endUs: -10 },
  ]);
  assert.equal(read([span({ start_us: "17" })], []).requests[0]?.startUs, 17);
});

Deno.test("read_data_set: one of the trace, or of several the one that is named", () => {
  const service = read(
    [span({ trace: "t", id: "a" }), span({ trace: "u", id: "a" }), span({ trace: "u", id: "b" })],
    [span({ trace: "t", parent: "x" }), span({ trace: "u", parent: "a" })],
  );
  assert.deepEqual([...service.truth], [0, 1]);
});

Deno.test("read_data_set: what is no data set is refused", () => {
  assert.throws(() => serviceIn(7, "service 1"), /service 1 is no object/);
  assert.throws(() => read({}, []), /incoming spans of service 1 are no list/);
  assert.throws(() => read([span({ start_us: "x" })], []), /number 1 .* has no start_us/);
});
