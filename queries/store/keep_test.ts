// SPDX-License-Identifier: Apache-2.0

import { deepEqual, equal, throws } from "node:assert/strict";
import { HOUR, MINUTE, SECOND } from "../../model/time.ts";
import { KEEP_IN_MEMORY, KEEP_ON_DISK, parseKeep, sliceBounds } from "./keep.ts";

Deno.test("keep: times, counts and sizes, several joined by commas", () => {
  const cases: [string, Partial<typeof KEEP_ON_DISK>][] = [
    ["15m", { durationNs: 15n * MINUTE }],
    ["1.5h", { durationNs: 90n * MINUTE }],
    ["2d", { durationNs: 48n * HOUR }],
    ["500k", { spansMax: 500_000 }],
    ["1M", { spansMax: 1_000_000 }],
    ["1000", { spansMax: 1_000 }],
    ["500mb", { bytesMax: 500_000_000 }],
    ["6h, 2GB", { durationNs: 6n * HOUR, bytesMax: 2_000_000_000 }],
  ];
  for (const [text, changes] of cases) {
    deepEqual(parseKeep(text, KEEP_ON_DISK), { ...KEEP_ON_DISK, ...changes }, text);
  }
  for (const text of ["", "soon", "-1h", "0", "1 hour", "5,"]) {
    throws(() => parseKeep(text, KEEP_ON_DISK), /^Error: Cannot keep ".*": give a time/, text);
  }
});

Deno.test("keep: a slice is an eighth of what is kept", () => {
  const inMemory = { durationNs: 15n * MINUTE / 8n, spansMax: 125_000 };
  deepEqual(sliceBounds(KEEP_IN_MEMORY), inMemory);
  equal(sliceBounds(KEEP_ON_DISK).durationNs, 3n * HOUR);
  equal(sliceBounds({ ...KEEP_ON_DISK, bytesMax: 800_000 }).spansMax, 1_000);
  equal(sliceBounds({ ...KEEP_ON_DISK, durationNs: 1n }).durationNs, SECOND);
});
