// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {
  isOdd,
  kindShare,
  learnStep,
  noteOddity,
  oddity,
  startFlow,
  type Step,
  stepCost,
} from "./flow.ts";

const step = (part: Partial<Step>): Step => ({
  ...{ kind: 1, exact: 10, coarse: 20, last: 30, gapUs: 100, crowd: 2, isSameThread: true },
  ...part,
});

function taught() {
  const flow = startFlow();
  for (let i = 0; i < 40; i++) learnStep(step({ gapUs: 80 + i }), 1, flow);
  return flow;
}

Deno.test("flow: what usually comes next, then, from there costs least", () => {
  const flow = taught();
  const usual = stepCost(step({}), flow);
  assert.ok(usual < stepCost(step({ kind: 2 }), flow));
  assert.ok(usual < stepCost(step({ gapUs: 50_000 }), flow));
  assert.ok(usual < stepCost(step({ isSameThread: false }), flow));
});

Deno.test("flow: where a sequence is new, what is known of its last event counts", () => {
  const flow = taught();
  assert.ok(kindShare(step({ exact: 11, coarse: 21 }), flow) > 0.9);
  assert.ok(kindShare(step({ exact: 11, coarse: 21, last: 31 }), flow) < 0.1);
});

Deno.test("flow: gaps are learned apart for each crowd", () => {
  const flow = taught();
  const more = (crowd: number) =>
    stepCost(step({ gapUs: 50_000, crowd }), flow) - stepCost(step({ crowd }), flow);
  assert.ok(more(2) > more(4));
});

Deno.test("flow: a story is odd if such requests never do that, and oddities fade", () => {
  const flow = taught();
  assert.equal(isOdd(step({}), flow), false);
  assert.equal(isOdd(step({ kind: 2 }), flow), true);
  assert.equal(isOdd(step({ kind: 2, coarse: 21, last: 31 }), flow), false);
  for (let i = 0; i < 50; i++) noteOddity(true, 2, flow);
  const most = oddity(2, flow);
  assert.ok(most > 0.5);
  for (let i = 0; i < 1_000; i++) noteOddity(false, 2, flow);
  assert.ok(oddity(2, flow) < most / 10);
});
