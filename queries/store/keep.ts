// SPDX-License-Identifier: Apache-2.0
// How much is kept: `--keep 24h,10GB`. Whatever bound is reached first drops the oldest slice.

import { HOUR, MINUTE, type Nanos, SECOND } from "../../model/time.ts";

export interface Keep {
  readonly durationNs: Nanos;
  readonly spansMax: number;
  readonly bytesMax: number;
}

export const KEEP_IN_MEMORY: Keep = {
  durationNs: 15n * MINUTE,
  spansMax: 1_000_000,
  bytesMax: Infinity,
};

export const KEEP_ON_DISK: Keep = {
  durationNs: 24n * HOUR,
  spansMax: Infinity,
  bytesMax: 10_000_000_000,
};

/**
 * Oldest data goes in slices, an eighth of what is kept at a time. More of them would keep more
 * evenly, but each costs every query a millisecond of planning.
 */
const SLICES = 8;
/** What a span with a candidate takes, compressed; turns a bound in bytes into one in spans. */
const SPAN_BYTES = 100;

export interface SliceBounds {
  readonly durationNs: Nanos;
  readonly spansMax: number;
}

/** When a slice is full: three hours, if a day is kept. */
export function sliceBounds({ durationNs, spansMax, bytesMax }: Keep): SliceBounds {
  const eighth = durationNs / BigInt(SLICES);
  const spans = Math.min(spansMax, bytesMax / SPAN_BYTES) / SLICES;
  return {
    durationNs: eighth > SECOND ? eighth : SECOND,
    spansMax: Math.max(1, Math.ceil(spans)),
  };
}

const DURATIONS: Readonly<Record<string, Nanos>> = {
  s: SECOND,
  m: MINUTE,
  min: MINUTE,
  h: HOUR,
  d: 24n * HOUR,
};
const COUNTS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6 };
const BYTES: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/**
 * Reads `15m`, `24h`, `2d` (time), `500k`, `1M` (spans), `500MB`, `10GB` (bytes), several joined
 * by commas. Bounds that are not named are those of `otherwise`. Throws with the remedy.
 */
export function parseKeep(text: string, otherwise: Keep): Keep {
  let keep = otherwise;
  for (const part of text.split(",")) {
    const [, digits = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(part) ?? [];
    const amount = Number(digits);
    const duration = DURATIONS[unit];
    const count = COUNTS[unit];
    const bytes = BYTES[unit.toUpperCase()];
    if (digits !== "" && amount > 0 && duration !== undefined) {
      keep = { ...keep, durationNs: BigInt(Math.round(amount * 1000)) * duration / 1000n };
    } else if (digits !== "" && amount > 0 && count !== undefined) {
      keep = { ...keep, spansMax: Math.round(amount * count) };
    } else if (digits !== "" && amount > 0 && bytes !== undefined) {
      keep = { ...keep, bytesMax: amount * bytes };
    } else {
      throw new Error(
        `Cannot keep "${part.trim()}": give a time (15m, 24h), a number of spans (500k, 1M) ` +
          `or a size (500MB, 10GB), several joined by commas`,
      );
    }
  }
  return keep;
}
