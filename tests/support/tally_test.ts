// SPDX-License-Identifier: Apache-2.0
// The closing lines that deno test prints, with and without colour, steps and skips.

import assert from "node:assert/strict";
import { addTally, parseTally } from "./tally.ts";

Deno.test("tally: reads passes, failures and skips, not steps", () => {
  const output = "noise\nFAILED | 3 passed (2 steps) | 1 failed | 4 ignored (27ms)\n";
  assert.deepEqual(parseTally(output), { passed: 3, failed: 1, skipped: 4 });
});

Deno.test("tally: reads through terminal colours", () => {
  const output = "\x1b[0m\x1b[32mok\x1b[0m | 12 passed | 0 failed \x1b[38;5;245m(1s)\x1b[0m";
  assert.deepEqual(parseTally(output), { passed: 12, failed: 0, skipped: 0 });
});

Deno.test("tally: the last closing line wins, as a test may print one of its own", () => {
  const output = "ok | 9 passed | 0 failed (1ms)\nFAILED | 1 passed | 1 failed (1ms)\n";
  assert.deepEqual(parseTally(output), { passed: 1, failed: 1, skipped: 0 });
});

Deno.test("tally: a run that died before counting has none", () => {
  assert.equal(parseTally("error: Module not found\n"), undefined);
});

Deno.test("tally: sums field by field", () => {
  const sum = addTally({ passed: 1, failed: 2, skipped: 3 }, {
    passed: 10,
    failed: 20,
    skipped: 30,
  });
  assert.deepEqual(sum, { passed: 11, failed: 22, skipped: 33 });
});
