// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { learn, trustIn } from "./reliability.ts";

const counts = (right: number, wrong: number) => ({ right, wrong });
const none = counts(0, 0);

Deno.test("trust: what a rule was right about while one alone was open proves nothing", () => {
  const before = trustIn(3, [none, none, none, none, none], false, true);
  assert.equal(trustIn(3, [counts(500, 0), none, none, none, none], false, true), before);
  assert.ok(trustIn(3, [counts(500, 0), none, none, none, none], true, true) > before);
});

Deno.test("trust: it is earned on calls as contested as that, and lost there", () => {
  assert.ok(trustIn(3, [none, none, none, counts(200, 0), none], false, true) > 0.99);
  assert.equal(trustIn(3, [none, counts(200, 0), none, counts(5, 60), none], false, true), 0);
  assert.ok(trustIn(1, [none, counts(200, 0), none, counts(5, 60), none], false, true) > 0.99);
});

Deno.test("trust: older observations fade", () => {
  const reliability = counts(0, 0);
  for (let i = 0; i < 600; i++) learn(reliability, false);
  for (let i = 0; i < 2_000; i++) learn(reliability, true);
  assert.ok(reliability.right / (reliability.right + reliability.wrong) > 0.9);
});

Deno.test("trust: what rests on an order is believed less where more is open", () => {
  const shown = [none, counts(300, 0), none, counts(24, 0), none];
  assert.ok(trustIn(3, shown, false, false) > trustIn(3, shown, false, true));
});
