// SPDX-License-Identifier: Apache-2.0
// The data elements of an ISO 8583 message whose texts are ASCII, and how long each of them is.
//
//   fixed: so many characters      var: 2 or 3 digits, then as many characters as they say

import { type Cursor, Malformed } from "../../../wire/cursor.ts";

/** Negative: so many digits of length in front. Elements 52 and 64 are 8 bytes, or 16 digits. */
const LENGTHS: readonly number[] = [
  ...[0, 0, -2, 6, 12, 12, 12, 10, 8, 8, 8, 6, 6, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2, 1],
  ...[9, 9, 9, 9, -2, -2, -2, -2, -3, 12, 6, 2, 3, 8, 15, 40, -2, -2, -3, -3, -3, 3, 3, 3, 8],
  ...[16, -3, -3, -3, -3, -3, -3, -3, -3, -3, -3, 8, 1, 1, 2, 3, 3, 3],
];

/** Elements that are told; card numbers, tracks and PINs are not. */
const TOLD = new Set([3, 4, 7, 11, 32, 33, 37, 38, 39, 41, 42, 49, 70]);

/** The values of told elements, by number. Reads up to the last element that it knows. */
export function readElements(cursor: Cursor): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const bits = readBitmap(cursor);
  for (let element = 2; element < LENGTHS.length; element++) {
    if (!has(bits, element)) continue;
    let length = LENGTHS[element] ?? 0;
    if (length < 0) length = digits(cursor, -length);
    if (TOLD.has(element)) found.set(element, cursor.latin1(length).trim());
    else cursor.skip(length);
  }
  return found;
}

const has = (bits: Uint8Array, element: number): boolean =>
  ((bits[(element - 1) >> 3] ?? 0) >> (7 - ((element - 1) & 7)) & 1) === 1;

/** 8 bytes, 16 where the first bit says that there is a second half; or as many digits. */
function readBitmap(cursor: Cursor): Uint8Array {
  const text = isHex(cursor);
  const first = half(cursor, text);
  if ((first[0] ?? 0) < 0x80) return first;
  const whole = new Uint8Array(16);
  whole.set(first);
  whole.set(half(cursor, text), 8);
  return whole;
}

function half(cursor: Cursor, text: boolean): Uint8Array {
  if (!text) return cursor.bytes(8).slice();
  const digitsOf = cursor.latin1(16);
  return Uint8Array.from({ length: 8 }, (_, i) => parseInt(digitsOf.slice(i * 2, i * 2 + 2), 16));
}

function isHex(cursor: Cursor): boolean {
  for (let i = 0; i < 16; i++) {
    const byte = cursor.peekOr(i);
    const digit = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46);
    if (!digit) return false;
  }
  return true;
}

function digits(cursor: Cursor, count: number): number {
  const text = cursor.latin1(count);
  if (!/^\d+$/.test(text)) throw new Malformed("no length of an element");
  return Number(text);
}
