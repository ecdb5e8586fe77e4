// SPDX-License-Identifier: Apache-2.0
// Units of time: event time is a count of nanoseconds in a bigint, everywhere.

/** Nanoseconds. Boot time (CLOCK_BOOTTIME) inside the pipeline, Unix time on spans. */
export type Nanos = bigint;

export const MICROSECOND: Nanos = 1_000n;
export const MILLISECOND: Nanos = 1_000_000n;
export const SECOND: Nanos = 1_000_000_000n;
export const MINUTE: Nanos = 60n * SECOND;
export const HOUR: Nanos = 60n * MINUTE;
