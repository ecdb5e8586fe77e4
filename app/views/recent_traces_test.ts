// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { type RecentTrace, RecentTraces } from "./recent_traces.ts";
import { FIXTURE_START_NS, makeRevision } from "./span_fixture.ts";

const all = () => true;
const at = (us: number) => FIXTURE_START_NS + BigInt(us) * 1_000n;

/** A span named by its id, its parent and its bounds in microseconds. */
function revision(id: number, parent: number | null, from: number, to: number, revision = 0) {
  return makeRevision({
    span_id: BigInt(id),
    parent_span_id: parent === null ? null : BigInt(parent),
    start_unix_ns: at(from),
    end_unix_ns: at(to),
    revision,
  });
}

const drawn = (trace: RecentTrace | null | undefined) =>
  trace?.spans.map(({ span, depth }) => `${"-".repeat(depth)}${span.span_id}`).join(" ");

Deno.test("children may come before their parents, and late links join what stood apart", () => {
  const traces = new RecentTraces();
  traces.add(revision(4, 3, 30, 40), 0n);
  traces.add(revision(3, 2, 20, 50), 0n);
  traces.add(revision(5, null, 60, 70), 0n);
  traces.add(revision(2, 1, 10, 80), 0n);
  assert.equal(drawn(traces.get(4n)), "2 -3 --4");
  traces.add(revision(1, null, 0, 90), 0n);
  traces.add(revision(5, 2, 60, 70, 1), 0n);
  assert.equal(drawn(traces.get(5n)), "1 -2 --3 ---4 --5");
  assert.deepEqual(traces.newest(9, all).map(({ spans }) => spans), [5]);
});

Deno.test("a revision replaces a span and may move it; an older one changes nothing", () => {
  const traces = new RecentTraces();
  traces.add(revision(1, null, 0, 90), 0n);
  traces.add(revision(2, null, 0, 90), 0n);
  traces.add(revision(3, 1, 10, 20), 0n);
  traces.add(revision(3, 2, 10, 20, 2), 0n);
  traces.add(revision(3, 1, 10, 20, 1), 0n);
  assert.equal(drawn(traces.get(1n)), "1");
  assert.equal(drawn(traces.get(3n)), "2 -3");
  const reset = revision(3, 2, 10, 20, 3);
  traces.add({ ...reset, span: { ...reset.span, status: "reset" } }, 0n);
  assert.deepEqual(traces.newest(9, all).map(({ errors }) => errors), [1, 0]);
});

Deno.test("links in a circle make no circle", () => {
  const traces = new RecentTraces();
  traces.add(revision(1, 2, 0, 90), 0n);
  traces.add(revision(2, 1, 0, 90), 0n);
  traces.add(revision(3, 3, 0, 90), 0n);
  assert.equal(drawn(traces.get(1n)), "2 -1");
  assert.equal(drawn(traces.get(3n)), "3");
});

Deno.test("a trace settles once, when it has not changed; it waits longer for its parent", () => {
  const traces = new RecentTraces();
  traces.add(revision(1, null, 0, 90), 10n);
  traces.add(revision(2, 1, 5, 10), 20n);
  traces.add(revision(8, 7, 5, 10), 10n);
  assert.deepEqual(traces.settled(19n, 0n).map(drawn), []);
  assert.deepEqual(traces.settled(20n, 0n).map(drawn), ["1 -2"]);
  assert.deepEqual(traces.settled(30n, 10n).map(drawn), ["8"]);
  traces.add(revision(3, 1, 5, 10), 40n);
  assert.deepEqual(traces.settled(99n).map(drawn), []);
});

Deno.test("old traces are forgotten, the slowest are not", () => {
  const traces = new RecentTraces({ spansMax: 10, slowestMax: 2 });
  for (let id = 1; id <= 50; id++) {
    traces.add(revision(id, null, id, id + (id === 5 ? 1_000 : 10)), 0n);
  }
  assert.ok(traces.size <= 20, `held: ${traces.size}`);
  assert.equal(traces.slowest(1, all)[0]?.root.span_id, 5n);
  assert.equal(traces.newest(1, all)[0]?.root.span_id, 50n);
  assert.equal(traces.get(3n), null);
  assert.equal(traces.forgotten, 50 - traces.size);
});
