// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { callCounts } from "./call_counts.ts";
import { nextCall } from "./next_call.ts";
import { progressTable } from "./progress.ts";

const likely = (cost: number) => Math.exp(-cost);

Deno.test("next_call: after two calls to one callee comes the other, then the end", () => {
  const table = progressTable(2);
  const next = nextCall(2);
  const once = table.then(table.first, 0);
  const twice = table.then(once, 0);
  const all = table.then(twice, 1);
  for (let i = 0; i < 50; i++) {
    next.learn(0, table.first, 0, 1);
    next.learn(0, once, 0, 1);
    next.learn(0, twice, 1, 1);
    next.learn(0, all, 2, 1);
  }
  assert.ok(likely(next.cost(0, once, 0)) > 0.9);
  assert.ok(likely(next.cost(0, twice, 1)) > 0.9);
  assert.ok(likely(next.cost(0, all, 2)) > 0.9);
  assert.ok(likely(next.cost(0, twice, 0)) < 0.05);
  const whole = [0, 1, 2].reduce((sum, each) => sum + likely(next.cost(0, twice, each)), 0);
  assert.ok(Math.abs(whole - 1) < 1e-9);
});

Deno.test("next_call: a kind of request never seen is judged by all kinds", () => {
  const table = progressTable(1);
  const next = nextCall(1);
  for (let i = 0; i < 50; i++) next.learn(0, table.first, 0, 1);
  assert.ok(likely(next.cost(7, table.first, 0)) > 0.9);
});

Deno.test("progress: the order of calls does not matter to the set, and tables end", () => {
  const table = progressTable(2);
  const ab = table.then(table.then(table.first, 0), 1);
  const ba = table.then(table.then(table.first, 1), 0);
  assert.equal(ab.set, ba.set);
  assert.notEqual(ab, ba);
  let at = table.first;
  for (let i = 0; i < 100; i++) at = table.then(at, 0);
  assert.equal(table.then(at, 0), at, "many are as good as more");
});

Deno.test("call_counts: who calls twice waits after the first, not after the second", () => {
  const counts = callCounts();
  for (let i = 0; i < 20; i++) counts.learn(0, [2], 1);
  assert.ok(counts.moreLikely(0, 0, 1) > 0.9);
  assert.ok(counts.moreLikely(0, 0, 2) < 0.1);
});
