// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { LIMITS } from "../../../model/limits.ts";
import type { Work } from "../program.ts";
import { joinReadLine } from "./read_line.ts";

Deno.test("read line: what has ended leaves, the others keep their order", () => {
  const lines = new Map<number, Work[]>();
  const [a, b, c] = [0, 1, 2].map((order) => ({ order, endNs: Infinity }) as Work);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  joinReadLine(lines, 1, a);
  joinReadLine(lines, 1, b);
  a.endNs = 5;
  joinReadLine(lines, 1, c);
  assert.deepEqual(lines.get(1), [b, c]);
});

Deno.test("read line: lines are bounded", () => {
  const lines = new Map<number, Work[]>();
  const { value } = LIMITS.linkCoroutines;
  for (let i = 0; i <= value; i++) joinReadLine(lines, i, { endNs: Infinity } as Work);
  assert.equal(lines.size, value);
  assert.equal(lines.has(0), false);
});
