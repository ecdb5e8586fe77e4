// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { plainPaint } from "./style.ts";
import { tableLines } from "./text_table.ts";

Deno.test("columns are aligned, cut and made harmless", () => {
  const lines = tableLines(
    [
      { title: "service", align: "left" },
      { title: "n", align: "right" },
      { title: "sql", align: "left", cellsMax: 8 },
    ],
    [["nginx", "12", "SELECT 1 FROM t"], ["a\x1bb", "3", ""]],
    plainPaint,
  );
  assert.deepEqual(lines, [
    "service   n  sql",
    "───────  ──  ────────",
    "nginx    12  SELECT …",
    "a·b       3",
  ]);
});
