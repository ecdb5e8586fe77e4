// SPDX-License-Identifier: Apache-2.0
// Values of Tars (JCE): a head byte of tag and type, then the value.
//
//   head: tag 4 bits (15: the tag is the next byte) | type 4 bits
//   type: 0 i8 | 1 i16 | 2 i32 | 3 i64 | 4 f32 | 5 f64 | 6 text u8 | 7 text u32 | 8 map | 9 list
//         10 struct begins | 11 struct ends | 12 zero | 13 bytes

import { type Cursor, Malformed } from "../../wire/cursor.ts";

const DEPTH_MAX = 16;

export interface Head {
  readonly tag: number;
  readonly type: number;
}

export function readTag(cursor: Cursor): Head {
  const head = cursor.u8();
  return { tag: head >> 4 === 15 ? cursor.u8() : head >> 4, type: head & 15 };
}

export const isNumber = (type: number): boolean => type <= 2 || type === 12;
export const isText = (type: number): boolean => type === 6 || type === 7;

export function readNumber(cursor: Cursor, type: number): number {
  switch (type) {
    case 0:
      return cursor.i8();
    case 1:
      return cursor.i16();
    case 2:
      return cursor.i32();
    case 12:
      return 0;
    default:
      throw new Malformed("no number");
  }
}

export const readText = (cursor: Cursor, type: number): string =>
  cursor.text(type === 6 ? cursor.u8() : cursor.u32());

/** The count of a map, list or run of bytes: a number with its own head. */
function readCount(cursor: Cursor): number {
  const count = readNumber(cursor, readTag(cursor).type);
  if (count < 0) throw new Malformed("negative count");
  return count;
}

/** A map whose head was read; pairs of texts go to `each`. */
export function readTextMap(cursor: Cursor, each: (name: string, value: string) => void): void {
  for (let count = readCount(cursor); count > 0; count--) {
    const key = readTag(cursor);
    const name = isText(key.type) ? readText(cursor, key.type) : passValue(cursor, key.type);
    const { type } = readTag(cursor);
    if (isText(type) && name !== null) each(name, readText(cursor, type));
    else passValue(cursor, type);
  }
}

const FIXED_BYTES = [1, 2, 4, 8, 4, 8];

/** Moves past the value behind a head. */
export function passValue(cursor: Cursor, type: number, depth = 0): null {
  if (depth > DEPTH_MAX) throw new Malformed("values too deep");
  const bytes = FIXED_BYTES[type];
  if (bytes !== undefined) cursor.skip(bytes);
  else if (isText(type)) cursor.skip(type === 6 ? cursor.u8() : cursor.u32());
  else if (type === 8 || type === 9) {
    const count = readCount(cursor) * (type === 8 ? 2 : 1);
    for (let i = 0; i < count; i++) passValue(cursor, readTag(cursor).type, depth + 1);
  } else if (type === 10) {
    for (let inner = readTag(cursor); inner.type !== 11; inner = readTag(cursor)) {
      passValue(cursor, inner.type, depth + 1);
    }
  } else if (type === 13) {
    if (readTag(cursor).type !== 0) throw new Malformed("no bytes");
    cursor.skip(readCount(cursor));
  } else if (type !== 12 && type !== 11) throw new Malformed("no such type");
  return null;
}
