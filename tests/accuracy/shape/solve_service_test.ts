// SPDX-License-Identifier: Apache-2.0
// Calls are placed by times alone: gaps and order are learned from requests that overlap.

import assert from "node:assert/strict";
import { seeded } from "../simulate/clock.ts";
import { solveService, type TimedSpan } from "./solve_service.ts";

/** Requests that call two callees one after the other; about three of them overlap. */
function overlapping(count: number): {
  requests: TimedSpan[];
  calls: TimedSpan[];
  truth: number[];
} {
  const random = seeded(3);
  const requests: TimedSpan[] = [];
  const calls: TimedSpan[] = [];
  const truth: number[] = [];
  let nowUs = 0;
  for (let i = 0; i < count; i++) {
    nowUs += 400 + random() * 2_800;
    const first = { ep: "first", startUs: nowUs + 90 + random() * 20, endUs: 0 };
    first.endUs = first.startUs + 500 + random() * 3_000;
    const second = { ep: "second", startUs: first.endUs + 40 + random() * 10, endUs: 0 };
    second.endUs = second.startUs + 300 + random() * 2_000;
    requests.push({ ep: "", startUs: nowUs, endUs: second.endUs + 60 + random() * 20 });
    calls.push(first, second);
    truth.push(i, i);
  }
  return { requests, calls, truth };
}

Deno.test("solve_service: typical gaps tell overlapping requests apart", () => {
  const { requests, calls, truth } = overlapping(400);
  const placed = solveService(requests, calls);
  const right = truth.filter((request, call) => placed[call] === request).length;
  assert.ok(right >= 0.985 * truth.length, `${right} of ${truth.length}`);
});

Deno.test("solve_service: a call that no request encloses is an orphan", () => {
  const request = { ep: "", startUs: 0, endUs: 100 };
  const call = (startUs: number, endUs: number) => ({ ep: "x", startUs, endUs });
  assert.deepEqual([...solveService([request], [call(10, 90), call(50, 150)])], [0, -1]);
});
