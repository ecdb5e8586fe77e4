// SPDX-License-Identifier: Apache-2.0
// Walks the top level of a BSON document (https://bsonspec.org/spec.html), values skipped.
//
//   document: size i32le | (type u8 | name NUL | value) … | 0

import { type Cursor, Malformed } from "../../../wire/cursor.ts";

const DOCUMENT_BYTES_MAX = 48 * 1024 * 1024;

/** What a value is, as far as one is interested: documents and binaries are null. */
export type BsonValue = string | number | boolean | null;

/** Bytes of values of fixed size by type. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  0x06: 0,
  0x07: 12,
  0x09: 8,
  0x0a: 0,
  0x11: 8,
  0x13: 16,
  0x7f: 0,
  0xff: 0,
};

/** Bytes that are read of a value, where they are not 8. */
const READ_BYTES: Readonly<Record<number, number>> = {
  0x02: 4,
  0x06: 0,
  0x08: 1,
  0x0a: 0,
  0x10: 4,
  0x7f: 0,
  0xff: 0,
};

const TEXT_BYTES_MAX = 512;

/**
 * Calls `onElement` for each element until it returns false or the captured bytes end; then the
 * cursor moves behind the document, all of which must have passed. Of the array named `entered`,
 * the elements of its first document are told as well.
 */
export function walkBson(
  cursor: Cursor,
  onElement: (name: string, value: BsonValue) => boolean,
  entered?: string,
): void {
  const start = cursor.position;
  const size = cursor.u32le();
  if (size < 5 || size > DOCUMENT_BYTES_MAX) throw new Malformed("no size of a document");
  const end = start + size;
  cursor.skip(size - 4);
  cursor.rewind(start + 4);
  while (cursor.position < end && cursor.captured > 2) {
    const type = cursor.u8();
    if (type === 0) break;
    if (cursor.find(0) < 0) break;
    const name = cursor.cstring();
    if (cursor.captured < (READ_BYTES[type] ?? 8)) break;
    if (type === 0x04 && name === entered) {
      enter(cursor, onElement);
      continue;
    }
    const value = readValue(cursor, type);
    if (cursor.position > end) throw new Malformed("element past its document");
    if (!onElement(name, value)) break;
  }
  cursor.rewind(end);
}

/** The first element of an array, where that is a document. */
function enter(cursor: Cursor, onElement: (name: string, value: BsonValue) => boolean): void {
  const start = cursor.position;
  const size = cursor.u32le();
  if (size < 5 || size > DOCUMENT_BYTES_MAX) throw new Malformed("no size of an array");
  if (cursor.captured > 8 && cursor.peek() === 0x03) {
    cursor.skip(1);
    cursor.cstring();
    walkBson(cursor, onElement);
  }
  cursor.rewind(start);
  cursor.skip(size);
}

function readValue(cursor: Cursor, type: number): BsonValue {
  switch (type) {
    case 0x01:
      return cursor.f64le();
    case 0x02:
    case 0x0d:
    case 0x0e: {
      const bytes = cursor.u32le();
      if (bytes < 1 || bytes > DOCUMENT_BYTES_MAX) throw new Malformed("no size of a text");
      const text = cursor.textCaptured(bytes - 1, TEXT_BYTES_MAX);
      cursor.skip(1);
      return text;
    }
    case 0x03:
    case 0x04:
    case 0x0f:
      skipSized(cursor, 4);
      return null;
    case 0x05:
      skipSized(cursor, -1);
      return null;
    case 0x08:
      return cursor.u8() !== 0;
    case 0x0b:
      cursor.cstring();
      cursor.cstring();
      return null;
    case 0x0c:
      skipSized(cursor, -12);
      return null;
    case 0x10:
      return cursor.i32le();
    case 0x12:
      return Number(cursor.i64le());
    default: {
      const bytes = FIXED_BYTES[type];
      if (bytes === undefined) throw new Malformed("no such BSON type");
      cursor.skip(bytes);
      return null;
    }
  }
}

/** Skips a value by its size, of which the size itself takes `included` bytes (4 or none). */
function skipSized(cursor: Cursor, included: number): void {
  const bytes = cursor.u32le();
  if (bytes > DOCUMENT_BYTES_MAX) throw new Malformed("value too large");
  cursor.skip(included === 4 ? bytes - 4 : bytes + -included);
}
