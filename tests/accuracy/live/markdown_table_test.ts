// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { markdownTables } from "./markdown_table.ts";

const row = (clients: number, right: number, merged: number) =>
  JSON.stringify({
    program: "go",
    ...{ clients, calls: 1_000, right, wrong: 0, merged },
    deciles: [
      { links: 10, right: 0.1, confidence: 0.05 },
      ...Array.from({ length: 8 }, () => ({ links: 0, right: null, confidence: null })),
      { links: 990, right: 1, confidence: 0.99 },
    ],
  });

Deno.test("a line per program, a column per load; of equal cells the last counts", () => {
  const rows = [row(64, 700, 2), row(8, 500, 0), row(8, 1_000, 0)];
  const text = markdownTables(rows.join("\n"));
  const lines = text.split("\n");
  assert.equal(lines[0], "| program | 8 clients | 64 clients |");
  assert.equal(lines[2], "| Go's net/http (`go`) | 100.0 % | 70.0 %, 2 wrong |");
  assert.match(text, /Of 1,702 links drawn, 2 lead .*: 0\.12 %\. .* 0\.1 %: 1 of 2\./);
  assert.match(text, /\| 99\.0 % \| 1980 \| 100\.0 % \|/);
  assert.match(text, /\| 5\.0 % \| 20 \| 10\.0 % \|/);
});

Deno.test("what is no row is passed over", () => {
  assert.match(markdownTables("SKIP java\n\n"), /Of 0 links drawn, 0 lead/);
});
