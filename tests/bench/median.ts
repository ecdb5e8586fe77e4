// SPDX-License-Identifier: Apache-2.0
// The middle of measurements: what benches report, because one slow round must not count.

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
