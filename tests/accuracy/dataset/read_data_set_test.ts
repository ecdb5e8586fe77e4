// SPDX-License-Identifier: Apache-2.0
// What is odd in a data set is read as it is, what is broken is refused in a sentence.

import assert from "node:assert/strict";
import { servicesIn } from "./read_data_set.ts";

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
  servicesIn([{ service: "s", in_eps: 1, incoming, outgoing }])[0];

Deno.test("read_data_set: a call belongs to the request of its trace, though ids repeat", () => {
  const service = read(
    [span({ trace: "t" }), span({ trace: "u" })],
    [span({ trace: "u", parent: "a" }), span({ trace: "t", parent: "a" })],
  );
  assert.deepEqual([...service?.truth ?? []], [1, 0]);
});

Deno.test("read_data_set: of a trace served twice ids tell, and an unknown parent is none", () => {
  const service = read(
    [span({ id: "a" }), span({ id: "b" })],
    [span({ parent: "b" }), span({ parent: "a" }), span({ parent: "c" })],
  );
  assert.deepEqual([...service?.truth ?? []], [1, 0, -1]);
});

Deno.test("read_data_set: the solver sees no operation of a call", () => {
  const service = read([span({})], [span({ op: "secret" }), span({ op: "other" })]);
  assert.equal(service?.callees, 1);
  assert.ok(!JSON.stringify(service).includes("secret"));
});

Deno.test("read_data_set: empty services, no duration, negative times", () => {
  assert.deepEqual(servicesIn([]), []);
  assert.equal(read([], [])?.requests.length, 0);
  assert.deepEqual(read([span({ start_us: -10, dur_us: 0 })], [])?.requests, [
    { kind: 0, startUs: -10, endUs: -10 },
  ]);
});

Deno.test("read_data_set: what is no data set is refused", () => {
  assert.throws(() => servicesIn({}), /no list of services/);
  assert.throws(() => servicesIn([7]), /service 1 is no object/);
  assert.throws(() => read(undefined, []), /incoming spans of service 1 are no list/);
  assert.throws(() => read([span({ start_us: "x" })], []), /number 1 .* has no start_us/);
});
