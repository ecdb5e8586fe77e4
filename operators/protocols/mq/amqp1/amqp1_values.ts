// SPDX-License-Identifier: Apache-2.0
// Values of AMQP 1.0: a constructor byte, whose high digit says how long the value is.
//
//   4 none | 5 u8 | 6 u16 | 7 u32 | 8 u64 | 9 16 bytes | a u8 and bytes | b u32 and bytes
//   c u8 size, u8 count, items | d u32 size, u32 count, items | e, f arrays | 00 descriptor, value

import { type Cursor, Malformed } from "../../../wire/cursor.ts";

const DEPTH_MAX = 16;

/** What is kept of a value: text, number, or null for everything else. */
export type Value = string | number | null;

/** Reads or passes one value. */
export function readValue(cursor: Cursor, depth = 0): Value {
  if (depth > DEPTH_MAX) throw new Malformed("values too deep");
  const code = cursor.u8();
  if (code === 0) {
    readValue(cursor, depth + 1);
    return readValue(cursor, depth + 1);
  }
  switch (code >> 4) {
    case 4:
      return code === 0x41 ? 1 : code === 0x40 ? null : 0;
    case 5:
      return cursor.u8();
    case 6:
      return cursor.u16();
    case 7:
      return cursor.u32();
    case 8:
      return Number(cursor.u64());
    case 9:
      cursor.skip(16);
      return null;
    case 10:
      return bytesOf(cursor, code, cursor.u8());
    case 11:
      return bytesOf(cursor, code, cursor.u32());
    case 12:
    case 14:
      cursor.skip(cursor.u8());
      return null;
    case 13:
    case 15:
      cursor.skip(cursor.u32());
      return null;
    default:
      throw new Malformed("no such constructor");
  }
}

/** a0 and b0 are bytes, a1 and b1 text, a3 and b3 symbols. */
function bytesOf(cursor: Cursor, code: number, bytes: number): Value {
  if ((code & 15) !== 0) return cursor.text(bytes);
  cursor.skip(bytes);
  return null;
}

/** Enters a list or map: calls `each` for every item, which must read it. */
export function readItems(cursor: Cursor, each: (index: number) => void): void {
  const code = cursor.u8();
  if (code === 0x45) return;
  const wide = code === 0xd0 || code === 0xd1;
  if (!wide && code !== 0xc0 && code !== 0xc1) throw new Malformed("no list");
  const size = wide ? cursor.u32() : cursor.u8();
  const end = cursor.position + size;
  const count = wide ? cursor.u32() : cursor.u8();
  for (let i = 0; i < count && cursor.position < end; i++) each(i);
  cursor.rewind(end);
}

/** The descriptor of a described value, as a number: 00 53 code or 00 80 code. */
export function readDescriptor(cursor: Cursor): number {
  if (cursor.u8() !== 0) throw new Malformed("no descriptor");
  const code = readValue(cursor);
  if (typeof code !== "number") throw new Malformed("no number of a descriptor");
  return code;
}

/** Descriptor of the value that comes next, -1 where there is none. */
export function peekDescriptor(cursor: Cursor): number {
  return cursor.peekOr(0) === 0 && cursor.peekOr(1) === 0x53 ? cursor.peekOr(2) : -1;
}
