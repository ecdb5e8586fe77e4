// SPDX-License-Identifier: Apache-2.0
// How much the store keeps, as people type it: "1h", "10GB", "2Mspans", or several with commas.

import { parseDuration } from "./duration.ts";

/** Bounds of the store; what exceeds the first one reached is removed, oldest first. */
export interface Keep {
  readonly ageMs?: number;
  readonly bytes?: number;
  readonly spans?: number;
}

/** Throws an Error whose message says what a bound looks like. */
export function parseKeep(text: string): Keep {
  const keep: { ageMs?: number; bytes?: number; spans?: number } = {};
  for (const part of text.split(",").map((part) => part.trim())) {
    const amount = /^(\d+(?:\.\d+)?)([kMGT]?)(B|spans)$/.exec(part);
    if (amount !== null) {
      const value = Number(amount[1]) * scale(amount[2] ?? "");
      if (value < 1) throw new Error("it must be more than nothing");
      if (amount[3] === "B") keep.bytes = value;
      else keep.spans = value;
    } else if (/^[\d.]+(ms|s|m|h|d)/.test(part)) {
      keep.ageMs = parseDuration(part);
    } else {
      throw new Error("write an age, a size or a count, as 1h, 10GB, 2Mspans or 24h,10GB");
    }
  }
  return keep;
}

function scale(prefix: string): number {
  return { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[prefix] ?? 1;
}
