// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { cellsOf, fit, harmless } from "./cell_text.ts";

Deno.test("control characters of other people's traffic do not reach the terminal", () => {
  assert.equal(harmless("a\x1b[2Jb\r\n\x9b1m\x07"), "a·[2Jb···1m·");
  assert.equal(harmless("left\u202eright"), "left·right");
  assert.equal(harmless("Grüße, 世界 ✓"), "Grüße, 世界 ✓");
});

Deno.test("texts are measured in cells", () => {
  assert.equal(cellsOf("abc"), 3);
  assert.equal(cellsOf("世界"), 4);
  assert.equal(cellsOf("e\u0301"), 1);
  assert.equal(cellsOf("🚀"), 2);
});

Deno.test("texts are fitted to an exact number of cells", () => {
  assert.equal(fit("abc", 5), "abc  ");
  assert.equal(fit("abc", 5, "right"), "  abc");
  assert.equal(fit("abcdef", 4), "abc…");
  assert.equal(fit("世界世界", 4), "世… ");
  assert.equal(fit("anything", 0), "");
  for (let cells = 1; cells < 12; cells++) assert.equal(cellsOf(fit("a世b界c", cells)), cells);
});
