// SPDX-License-Identifier: Apache-2.0
// Texts as the serializations of Dubbo write them, where no more than the first ones are read.
//
//   kryo     : ASCII of 2 to 63 letters: the bytes, the last one with bit 7
//              else: length + 1, its first byte with bit 7 and 6 bits, then bit 6 = more follows
//   fastjson2: length u32, then JSONB: 49 + length (ASCII, up to 47 letters), 79 length | 7a length

import { type Cursor, Malformed } from "../../wire/cursor.ts";

const TEXT_BYTES_MAX = 4_096;

export type ReadText = (cursor: Cursor) => string;

/** By the serialization's number in the head of a frame. */
export const TEXT_READERS: ReadonlyMap<number, ReadText> = new Map([
  [8, kryoText],
  [23, jsonbText],
  [25, kryoText],
]);

function kryoText(cursor: Cursor): string {
  const first = cursor.peek();
  if (first >= 0x80) {
    cursor.skip(1);
    let length = first & 0x3f;
    for (let more = (first & 0x40) !== 0, shift = 6; more; shift += 7) {
      const byte = cursor.u8();
      length += (byte & 0x7f) << shift;
      more = byte >= 0x80 && shift < 20;
    }
    if (length > TEXT_BYTES_MAX) throw new Malformed("text too long");
    return length < 2 ? "" : cursor.text(length - 1);
  }
  let count = 0;
  while (cursor.peek(count) < 0x80) if (++count > 63) throw new Malformed("no end of a text");
  const head = cursor.latin1(count);
  return head + String.fromCharCode(cursor.u8() & 0x7f);
}

function jsonbText(cursor: Cursor): string {
  const size = cursor.u32();
  if (size > TEXT_BYTES_MAX) throw new Malformed("text too long");
  const end = cursor.position + size;
  const tag = cursor.u8();
  if (tag >= 0x49 && tag <= 0x78) return cursor.latin1(tag - 0x49);
  if (tag !== 0x79 && tag !== 0x7a) throw new Malformed("no text");
  const first = cursor.u8();
  if (first >= 0x30 && first <= 0x3f) cursor.skip(1);
  else if (first > 0x2f) throw new Malformed("no length of a text");
  return cursor.text(end - cursor.position);
}
