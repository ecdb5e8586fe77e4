// SPDX-License-Identifier: Apache-2.0
// RESP, the serialization of Redis: goes over elements without keeping them.

import { type Cursor, Malformed } from "../../wire/cursor.ts";

/** How far a message has been gone through. */
export interface Progress {
  /** Elements to come. */
  elements: number;
  /** Bytes of an element in progress that are to be passed over. */
  skip: number;
  /** The head of the message was emitted, its end was not. */
  tail: boolean;
}

export function newProgress(): Progress {
  return { elements: 0, skip: 0, tail: false };
}

const ELEMENTS_MAX = 0x8000_0000;
const LINE_BYTES_MAX = 65_536;

/**
 * Moves past whole elements while there are any at hand. Ends before an element whose header is
 * not complete, or sets `skip` to what is missing of a long one whose header was passed.
 */
export function passElements(cursor: Cursor, progress: Progress): void {
  while (progress.elements > 0) {
    const line = cursor.find(0x0a);
    if (line < 0) {
      if (cursor.captured > LINE_BYTES_MAX) throw new Malformed("line too long");
      return;
    }
    const type = cursor.peek();
    switch (type) {
      case 0x24: // $ bulk string
      case 0x21: // ! bulk error
      case 0x3d: // = verbatim string
        if (!passBulk(cursor, line, progress)) return;
        break;
      case 0x2a: // * array
      case 0x7e: // ~ set
      case 0x3e: // > push
        progress.elements += count(cursor, line) - 1;
        cursor.skip(line + 1);
        break;
      case 0x25: // % map
        progress.elements += 2 * count(cursor, line) - 1;
        cursor.skip(line + 1);
        break;
      case 0x7c: // | attributes, which stand before the element that they describe
        progress.elements += 2 * count(cursor, line);
        cursor.skip(line + 1);
        break;
      default:
        if (!isLineType(type)) throw new Malformed("RESP type");
        progress.elements--;
        cursor.skip(line + 1);
    }
    if (progress.elements > ELEMENTS_MAX) throw new Malformed("too many elements");
  }
}

/** False when its end has not come: then the rest of it is to be skipped. */
function passBulk(cursor: Cursor, line: number, progress: Progress): boolean {
  const bytes = intAt(cursor, 1, line);
  progress.elements--;
  cursor.skip(line + 1);
  if (bytes < 0) return true;
  if (bytes + 2 <= cursor.remaining) {
    cursor.skip(bytes + 2);
    return true;
  }
  progress.skip = bytes + 2;
  return false;
}

/** Elements of an aggregate; a null array (-1) has none. */
function count(cursor: Cursor, line: number): number {
  return Math.max(0, intAt(cursor, 1, line));
}

/** Types whose elements are one line. */
export function isLineType(type: number): boolean {
  switch (type) {
    case 0x2b: // + simple string
    case 0x2d: // - error
    case 0x3a: // : integer
    case 0x5f: // _ null
    case 0x23: // # boolean
    case 0x2c: // , double
    case 0x28: // ( big number
      return true;
    default:
      return false;
  }
}

/** The integer between `from` bytes ahead and the line feed at `line`; at least -1. */
export function intAt(cursor: Cursor, from: number, line: number): number {
  const { buffer, at } = cursor;
  let i = at + from;
  const end = at + line - (buffer[at + line - 1] === 0x0d ? 1 : 0);
  if (end - i === 2 && buffer[i] === 0x2d && buffer[i + 1] === 0x31) return -1;
  if (end <= i || end - i > 10) throw new Malformed("RESP length");
  let value = 0;
  for (; i < end; i++) {
    const digit = (buffer[i] as number) - 0x30;
    if (digit < 0 || digit > 9) throw new Malformed("RESP length");
    value = value * 10 + digit;
  }
  return value;
}
