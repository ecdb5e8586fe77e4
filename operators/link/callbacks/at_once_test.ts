// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Work } from "../program.ts";
import { type AtOnce, isExpected, isUnheardOf, learnAtOnce } from "./at_once.ts";

const request = (kind: number) => ({ isWork: true, kind }) as Work;
const [ask, answer, rare, never] = [1, 2, 3, 4];

function taught(): AtOnce {
  const atOnce: AtOnce = new Map();
  for (let i = 0; i < 40; i++) {
    learnAtOnce(request(7), i % 10 === 0 ? [ask, ask, rare] : [ask, ask], atOnce);
  }
  return atOnce;
}

Deno.test("at once: what such reads always lead to is expected, as often as that", () => {
  const atOnce = taught();
  assert.ok(isExpected(request(7), ask, 0, atOnce));
  assert.ok(isExpected(request(7), ask, 1, atOnce));
  assert.ok(!isExpected(request(7), ask, 2, atOnce));
  assert.ok(!isExpected(request(7), rare, 0, atOnce));
  assert.ok(!isExpected(request(8), ask, 0, atOnce));
});

Deno.test("at once: what happened once is not unheard of, nor is anything of what is new", () => {
  const atOnce = taught();
  assert.ok(isUnheardOf(request(7), never, 0, atOnce));
  assert.ok(isUnheardOf(request(7), answer, 0, atOnce));
  assert.ok(!isUnheardOf(request(7), rare, 0, atOnce));
  assert.ok(!isUnheardOf(request(8), never, 0, atOnce));
});
