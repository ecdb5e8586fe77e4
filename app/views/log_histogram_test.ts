// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { LogHistogram } from "./log_histogram.ts";

Deno.test("quantiles lie within the promised 4.5 percent", () => {
  const histogram = new LogHistogram();
  const durations = Array.from({ length: 10_000 }, (_, i) => 2_000 + i * 1_234);
  for (const duration of durations) histogram.add(duration);
  for (const q of [0.01, 0.5, 0.9, 0.99, 1]) {
    const exact = durations[Math.ceil(q * durations.length) - 1] ?? 0;
    const found = histogram.quantile(q) ?? 0;
    assert.ok(Math.abs(found - exact) / exact < 0.045, `q ${q}: ${found} for ${exact}`);
  }
});

Deno.test("what lies outside of the range is counted at its ends", () => {
  const histogram = new LogHistogram();
  assert.equal(histogram.quantile(0.5), null);
  histogram.add(0);
  histogram.add(-5);
  histogram.add(1e18);
  assert.equal(histogram.total, 3);
  assert.ok((histogram.quantile(0.5) ?? 0) < 1_100);
  assert.ok((histogram.quantile(1) ?? 0) > 1e12 / 2);
});

Deno.test("histograms add up and can be cleared", () => {
  const [a, b] = [new LogHistogram(), new LogHistogram()];
  for (let i = 0; i < 99; i++) a.add(10_000);
  b.add(5_000_000);
  a.addAll(b);
  assert.equal(a.total, 100);
  assert.ok((a.quantile(1) ?? 0) > 4_000_000);
  assert.ok((a.quantile(0.99) ?? 0) < 11_000);
  a.clear();
  assert.equal(a.quantile(0.5), null);
});
