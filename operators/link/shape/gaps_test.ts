// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { addGap, bucketOf, gapShare, shareOfLonger, startGaps, unknownGapShare } from "./gaps.ts";

Deno.test("gaps: what was seen often is likely, and its neighbours more than what is far", () => {
  const gaps = startGaps();
  for (let i = 0; i < 50; i++) addGap(gaps, bucketOf(100), 1);
  const share = (us: number) => gapShare(gaps, bucketOf(us), unknownGapShare(bucketOf(us)));
  assert.ok(share(100) > 0.4);
  assert.ok(share(130) > share(10_000));
  assert.ok(share(10_000) > 0);
});

Deno.test("gaps: before anything was seen, sooner is likelier than later, but not by much", () => {
  let total = 0;
  for (let bucket = 0; bucket < 64; bucket++) total += unknownGapShare(bucket);
  assert.ok(Math.abs(total - 1) < 0.02, String(total));
  assert.equal(gapShare(undefined, 3, 0.25), 0.25);
});

Deno.test("gaps: the share of longer ones", () => {
  const gaps = startGaps();
  assert.equal(shareOfLonger(gaps, 1e6, 1), 1);
  for (let i = 0; i < 50; i++) addGap(gaps, bucketOf(100), 1);
  assert.ok(shareOfLonger(gaps, 10_000, 1) < 0.01);
  assert.ok(shareOfLonger(gaps, 1_000, 16) > 0.9);
});
