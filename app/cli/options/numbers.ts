// SPDX-License-Identifier: Apache-2.0
// Whole numbers within bounds: ports, process ids, byte counts.

/** A parser for one whole number, `least` to `most`, both included. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new Error(`write a whole number from ${least} to ${most}`);
  };
}

export const parsePort = wholeNumber(1, 65_535);
export const parsePid = wholeNumber(1, 4_194_304);
/** Up to what the kernel side copies of one call. */
export const parsePayloadBytes = wholeNumber(0, 16_384);
