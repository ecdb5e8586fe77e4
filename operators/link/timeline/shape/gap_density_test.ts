// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { gapDensity } from "./gap_density.ts";

Deno.test("gap_density: what was seen is likely, and all together is certain", () => {
  const density = gapDensity(1, null);
  for (let i = 0; i < 200; i++) density.add(100 + i / 10, 1);
  assert.ok(density.at(110) > 100 * density.at(1_000));
  assert.ok(density.at(110) > 100 * density.at(10));
  assert.ok(density.at(1e8) > 0, "nothing is impossible");
  const whole = density.shares().reduce((sum, share) => sum + share, 0);
  assert.ok(Math.abs(whole - 1) < 1e-9, `${whole}`);
});

Deno.test("gap_density: times in milliseconds are as likely as their neighbours", () => {
  const density = gapDensity(1_000, null);
  for (let i = 0; i < 3_000; i++) density.add(1_000 * (i % 6), 1);
  const [one, two] = [density.at(1_000), density.at(2_000)];
  assert.ok(one / two < 2 && two / one < 2, `${one} ${two}`);
});

Deno.test("gap_density: where little was seen the general density counts", () => {
  const general = gapDensity(1, null);
  for (let i = 0; i < 100; i++) general.add(50, 1);
  const special = gapDensity(1, general);
  special.add(5_000, 1);
  assert.ok(special.at(50) > special.at(500) * 10);
  for (let i = 0; i < 1_000; i++) special.add(5_000, 1);
  assert.ok(special.at(5_000) * 5_000 > special.at(50) * 50 * 10);
});

Deno.test("gap_density: a gap below nothing counts as none", () => {
  const density = gapDensity(1, null);
  density.add(-5, 1);
  assert.equal(density.at(-1), density.at(0));
});
