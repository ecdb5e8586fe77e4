// SPDX-License-Identifier: Apache-2.0
// Cheap looks at the first bytes of a line: most bytes are no text, and need not be made one.

const isWordByte = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a);

/** Length of the run of ASCII letters and digits at the start, at most `max` bytes. */
export function firstWordBytes(bytes: Uint8Array, max: number): number {
  let n = 0;
  while (n < max && n < bytes.length && isWordByte(bytes[n] as number)) n++;
  return n;
}
