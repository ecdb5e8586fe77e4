// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { bytesText, countText, durationText, rateText, shareText } from "./quantity_text.ts";

Deno.test("durations have three digits and a unit", () => {
  const cases: [number | bigint | null, string][] = [
    [null, "–"],
    [0, "0.0µs"],
    [850_000, "850µs"],
    [999_600, "1.00ms"],
    [12_340_000n, "12.3ms"],
    [999_900_000, "1.00s"],
    [59_900_000_000, "59.9s"],
    [59_990_000_000, "1m00s"],
    [125_000_000_000, "2m05s"],
    [7_260_000_000_000, "2h01m"],
    [-5_000, "-5.0µs"],
  ];
  for (const [ns, text] of cases) assert.equal(durationText(ns), text);
});

Deno.test("counts, rates, shares and bytes", () => {
  assert.equal(countText(1_234_567), "1,234,567");
  assert.equal(countText(999), "999");
  assert.deepEqual([0, 0.44, 41.23, 1_234.4].map(rateText), ["0", "0.4", "41.2", "1,234"]);
  assert.deepEqual([0, 0.0002, 0.125, 1].map(shareText), ["0%", "0.02%", "12.5%", "100%"]);
  const sizes = [812, 1_210_000, 285e6, 999.7e6].map(bytesText);
  assert.deepEqual(sizes, ["812 B", "1.21 MB", "285 MB", "1.00 GB"]);
});
