// SPDX-License-Identifier: Apache-2.0
// Options of every command that reads stored spans: which file, and which time.

import { parsePointInTime } from "./point_in_time.ts";

export const databaseFlag = {
  kind: "parsed",
  parse: String,
  brief: "DuckDB file written by trace --db",
  placeholder: "file",
} as const;

/** Unix nanoseconds of a span's start: from `since`, up to but without `until`. */
export interface TimeRangeFlags {
  readonly since?: bigint;
  readonly until?: bigint;
}

export const timeRangeFlags = {
  since: {
    kind: "parsed",
    parse: (text: string) => parsePointInTime(text),
    brief: "What starts at or after this time, as 10m (ago) or 2026-01-31T12:00:00Z",
    placeholder: "time",
    optional: true,
  },
  until: {
    kind: "parsed",
    parse: (text: string) => parsePointInTime(text),
    brief: "What starts before this time",
    placeholder: "time",
    optional: true,
  },
} as const;
