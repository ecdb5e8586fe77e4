// SPDX-License-Identifier: Apache-2.0
// Kafka's primitive types, in both encodings: fixed lengths, and compact ones ("flexible").

import { type Cursor, Malformed } from "../../../wire/cursor.ts";

const TEXT_BYTES_MAX = 32_767;
const COUNT_MAX = 1_000_000;

/** UNSIGNED_VARINT, at most 32 bits. */
export function uvarint(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new Malformed("varint too long");
}

/** VARINT: zigzag. */
export function varint(cursor: Cursor): number {
  const n = uvarint(cursor);
  return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
}

/** STRING, NULLABLE_STRING or their compact forms; null becomes "". */
export function text(cursor: Cursor, flexible: boolean): string {
  const bytes = flexible ? uvarint(cursor) - 1 : cursor.i16();
  if (bytes < 0) return "";
  if (bytes > TEXT_BYTES_MAX) throw new Malformed("text too long");
  return cursor.text(bytes);
}

/** Number of elements of an ARRAY; null becomes 0. */
export function count(cursor: Cursor, flexible: boolean): number {
  const n = flexible ? uvarint(cursor) - 1 : cursor.i32();
  if (n > COUNT_MAX) throw new Malformed("array too long");
  return Math.max(0, n);
}

/** Moves past the tagged fields that end a flexible structure. */
export function skipTags(cursor: Cursor, flexible: boolean): void {
  if (!flexible) return;
  for (let left = uvarint(cursor); left > 0; left--) {
    uvarint(cursor);
    cursor.skip(uvarint(cursor));
  }
}
