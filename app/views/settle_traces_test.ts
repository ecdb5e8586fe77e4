// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { settleTraces } from "./settle_traces.ts";
import type { RecentTrace } from "./recent_traces.ts";
import { makeRevision } from "./span_fixture.ts";

const second = 1_000_000_000n;

function open() {
  const traces: RecentTrace[] = [];
  const stage = settleTraces.open(undefined, {
    emit: (trace) => traces.push(trace),
    side() {},
    drop() {},
  });
  return { stage, sizes: () => traces.map(({ spans }) => spans.length) };
}

Deno.test("a trace comes once, a second after its last change", () => {
  const { stage, sizes } = open();
  stage.advance(10n * second);
  stage.push(makeRevision({ span_id: 2n, parent_span_id: 1n }));
  stage.push(makeRevision({ span_id: 1n }));
  stage.advance(10n * second + second / 2n);
  assert.deepEqual(sizes(), []);
  stage.advance(11n * second);
  stage.advance(20n * second);
  assert.deepEqual(sizes(), [2]);
});

Deno.test("a child waits for the parent it names; the end waits for nothing", () => {
  const { stage, sizes } = open();
  stage.push(makeRevision({ span_id: 2n, parent_span_id: 1n }));
  stage.push(makeRevision({ span_id: 3n, shape: "open" }));
  stage.advance(30n * second);
  assert.deepEqual(sizes(), []);
  stage.end();
  assert.deepEqual(sizes(), [1, 1]);
});

Deno.test("under pressure traces come early instead of never", () => {
  const { stage, sizes } = open();
  for (let id = 1n; id <= 30_000n; id++) stage.push(makeRevision({ span_id: id }));
  stage.end();
  assert.equal(sizes().length, 30_000);
});
