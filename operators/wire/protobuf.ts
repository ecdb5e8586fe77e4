// SPDX-License-Identifier: Apache-2.0
// Protocol Buffers on the wire: walks the fields of a message, which need not be known.
//
//   field: (number << 3 | type) varint | value
//   type : 0 varint, 1 eight bytes, 2 length varint and bytes, 5 four bytes

import { type Cursor, Malformed } from "./cursor.ts";

/** Wire types that readers ask for. */
export const VARINT = 0, BYTES = 2;

/** A varint that is meant to be small: an unsigned number, exact up to 2^53. */
export function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return value;
  }
  throw new Malformed("varint of more than ten bytes");
}

/** A signed int32 or int64 as a bigint: negative ones have ten bytes. */
export function readSigned(cursor: Cursor): bigint {
  let value = 0n;
  for (let i = 0n; i < 70n; i += 7n) {
    const byte = cursor.u8();
    value |= BigInt(byte & 0x7f) << i;
    if (byte < 0x80) return BigInt.asIntN(64, value);
  }
  throw new Malformed("varint of more than ten bytes");
}

export const readTextField = (cursor: Cursor): string => cursor.text(readVarint(cursor));

/**
 * Walks the next `bytes` bytes as a message. `take` reads the value of a field that it knows and
 * returns true; values of other fields are passed.
 */
export function readFields(
  cursor: Cursor,
  bytes: number,
  take: (field: number, type: number) => boolean,
): void {
  const end = cursor.position + bytes;
  while (cursor.position < end) {
    const key = readVarint(cursor);
    const type = key & 7;
    const field = Math.floor(key / 8);
    if (field === 0) throw new Malformed("no such field");
    if (!take(field, type)) passField(cursor, type);
  }
  if (cursor.position > end) throw new Malformed("field past its message");
}

function passField(cursor: Cursor, type: number): void {
  switch (type) {
    case VARINT:
      return void readVarint(cursor);
    case 1:
      return cursor.skip(8);
    case BYTES:
      return cursor.skip(readVarint(cursor));
    case 5:
      return cursor.skip(4);
    default:
      throw new Malformed("no such wire type");
  }
}
