// SPDX-License-Identifier: Apache-2.0
// A point in time as people type it: "10m" (ago), "2026-01-31T12:00:00Z", or Unix nanoseconds.

import { parseDuration } from "./duration.ts";

/** Unix nanoseconds. Throws an Error whose message says what a point in time looks like. */
export function parsePointInTime(text: string, nowMs: number = Date.now()): bigint {
  if (/^\d{19}$/.test(text)) return BigInt(text);
  if (/^[\d.]+(ms|s|m|h|d)/.test(text)) {
    return BigInt(Math.round(nowMs - parseDuration(text))) * 1_000_000n;
  }
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return BigInt(ms) * 1_000_000n;
  throw new Error("write how long ago (10m) or when (2026-01-31T12:00:00Z)");
}
