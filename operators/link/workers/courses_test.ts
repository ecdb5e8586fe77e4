// SPDX-License-Identifier: Apache-2.0
// What courses that differ say of a call, and what is left of those that are given up.

import assert from "node:assert/strict";
import type { Call, Work } from "../program.ts";
import { certaintyOf, settled } from "./courses.ts";
import { type Course, type Made, startCourse } from "./place_in_line.ts";

const work = (order: number) => ({ order }) as Work;
const callNow = () => ({ doubted: 0, sentNs: 1 }) as Call;

function course(cost: number, hash: number, ...owners: [Call, Work][]): Course {
  let made: Made | null = null;
  for (const [call, owner] of owners) {
    made = { call, work: owner, inOrder: null, before: made, weight: 0 };
  }
  return { ...startCourse, cost, hash, made };
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-3, `${actual}, not ${expected}`);

Deno.test("courses: a call is as sure as those that agree about it are likely", () => {
  const call = callNow();
  const [a, b] = [work(1), work(2)];
  const courses = [course(0, 1, [call, a]), course(Math.log(4), 2, [call, b])];
  near(certaintyOf(call, a, courses, 1), 0.8);
  near(certaintyOf(call, b, courses, 1), 0.2);
});

Deno.test("courses: of two that go on alike the worse is gone, and its doubt remains", () => {
  const [early, late] = [callNow(), callNow()];
  const [a, b] = [work(1), work(2)];
  const [kept, ...others] = settled([
    course(3 + Math.log(4), 7, [early, b], [late, a]),
    course(3, 7, [early, a], [late, a]),
  ], 1);
  assert.equal(others.length, 0);
  assert.equal(kept?.cost, 0);
  near(certaintyOf(early, a, kept === undefined ? [] : [kept], 1), 0.8);
  near(certaintyOf(late, a, kept === undefined ? [] : [kept], 1), 1);
});
