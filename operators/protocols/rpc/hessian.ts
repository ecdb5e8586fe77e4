// SPDX-License-Identifier: Apache-2.0
// Hessian 2: reads texts and maps of texts, and walks past every other value.
//
//   text : 00-1f short | 30-33 b | 'S' u16 | 'R' u16 chunk, more follow  (in UTF-16 units)
//   int  : 80-bf | c0-cf b | d0-d7 b b | 'I' i32      long: d8-ef | f0-ff b | 38-3f b b | 59 i32
//          | 'L'
//   list : 55 57 'V' 58 70-7f      map: 'M' type, 'H'      class: 'C'      object: 'O', 60-6f

import { type Cursor, Malformed } from "../../wire/cursor.ts";

const DEPTH_MAX = 32;
const CLASSES_MAX = 256;

/** Number of fields of each class that the message has defined so far. */
export type Classes = { name: string; fields: number }[];

/** The next value as text; "" when it is null. */
export function readText(cursor: Cursor): string {
  let text = "";
  for (;;) {
    const tag = cursor.u8();
    if (tag < 0x20) return text + units(cursor, tag);
    if (tag >= 0x30 && tag <= 0x33) return text + units(cursor, (tag & 3) << 8 | cursor.u8());
    if (tag === 0x53) return text + units(cursor, cursor.u16());
    if (tag === 0x4e && text === "") return "";
    if (tag !== 0x52) throw new Malformed("no text");
    text += units(cursor, cursor.u16());
  }
}

/** So many UTF-16 units, as UTF-8; Java writes the halves of a pair as three bytes each. */
function units(cursor: Cursor, count: number): string {
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const first = cursor.peek(bytes);
    bytes += first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first >= 0xf0) i++;
  }
  return cursor.text(bytes);
}

/** Whether the value that begins with `tag` is a text. */
const isText = (tag: number): boolean =>
  tag < 0x20 || (tag >= 0x30 && tag <= 0x33) || tag === 0x53 || tag === 0x52;

/** An int, as counts and references are. */
export function readInt(cursor: Cursor): number {
  const tag = cursor.u8();
  if (tag >= 0x80 && tag <= 0xbf) return tag - 0x90;
  if (tag >= 0xc0 && tag <= 0xcf) return (tag - 0xc8) * 256 + cursor.u8();
  if (tag >= 0xd0 && tag <= 0xd7) return (tag - 0xd4) * 65_536 + cursor.u16();
  if (tag === 0x49) return cursor.i32();
  throw new Malformed("no int");
}

/** A map, whose texts go to `each`; false when the next value is none (it is not passed). */
export function readTextMap(
  cursor: Cursor,
  classes: Classes,
  each: (name: string, value: string) => void,
): boolean {
  const tag = cursor.peek();
  if (tag !== 0x48 && tag !== 0x4d) return false;
  cursor.skip(1);
  if (tag === 0x4d) passType(cursor);
  while (cursor.peek() !== 0x5a) {
    const name = isText(cursor.peek()) ? readText(cursor) : passValue(cursor, classes, 1);
    if (isText(cursor.peek()) && name !== null) each(name, readText(cursor));
    else passValue(cursor, classes, 1);
  }
  cursor.skip(1);
  return true;
}

function passType(cursor: Cursor): void {
  if (isText(cursor.peek())) readText(cursor);
  else readInt(cursor);
}

/** Moves past one value of any type. Classes that are defined on the way go to `classes`. */
export function passValue(cursor: Cursor, classes: Classes, depth = 0): null {
  if (depth > DEPTH_MAX) throw new Malformed("values too deep");
  while (cursor.peek() === 0x43) defineClass(cursor, classes);
  const tag = cursor.peek();
  if (isText(tag)) readText(cursor);
  else if (tag >= 0x55 && tag <= 0x58 || (tag >= 0x70 && tag <= 0x7f)) {
    passList(cursor, classes, depth);
  } else if (tag === 0x48 || tag === 0x4d) passMap(cursor, classes, depth);
  else if (tag === 0x4f || (tag >= 0x60 && tag <= 0x6f)) passObject(cursor, classes, depth);
  else passPlain(cursor);
  return null;
}

/** 'C' name, number of fields, names */
function defineClass(cursor: Cursor, classes: Classes): void {
  cursor.skip(1);
  const name = readText(cursor);
  const fields = readInt(cursor);
  for (let i = 0; i < fields; i++) readText(cursor);
  if (classes.length >= CLASSES_MAX) throw new Malformed("too many classes");
  classes.push({ name, fields });
}

/** 55 type …Z | 'V' type n … | 57 …Z | 58 n … | 70-77 type … | 78-7f … */
function passList(cursor: Cursor, classes: Classes, depth: number): void {
  const tag = cursor.u8();
  if (tag === 0x55 || tag === 0x56 || (tag >= 0x70 && tag <= 0x77)) passType(cursor);
  if (tag === 0x55 || tag === 0x57) {
    while (cursor.peek() !== 0x5a) passValue(cursor, classes, depth + 1);
    return cursor.skip(1);
  }
  const count = tag >= 0x70 ? tag & 7 : readInt(cursor);
  for (let i = 0; i < count; i++) passValue(cursor, classes, depth + 1);
}

function passMap(cursor: Cursor, classes: Classes, depth: number): void {
  if (cursor.u8() === 0x4d) passType(cursor);
  while (cursor.peek() !== 0x5a) passValue(cursor, classes, depth + 1);
  cursor.skip(1);
}

function passObject(cursor: Cursor, classes: Classes, depth: number): void {
  const tag = cursor.u8();
  const known = classes[tag === 0x4f ? readInt(cursor) : tag - 0x60];
  if (known === undefined) throw new Malformed("no such class");
  for (let i = 0; i < known.fields; i++) passValue(cursor, classes, depth + 1);
}

/** Numbers, dates, bytes, references, true, false and null. */
function passPlain(cursor: Cursor): void {
  const tag = cursor.u8();
  if (tag >= 0x20 && tag <= 0x2f) return cursor.skip(tag - 0x20);
  if (tag >= 0x34 && tag <= 0x37) return cursor.skip((tag - 0x34) << 8 | cursor.u8());
  if (tag === 0x41) {
    cursor.skip(cursor.u16());
    return passPlain(cursor);
  }
  if (tag === 0x42) return cursor.skip(cursor.u16());
  if (tag === 0x51) return void readInt(cursor);
  cursor.skip(plainBytes(tag));
}

/** Bytes behind the tag of a value of fixed size. */
function plainBytes(tag: number): number {
  if (tag >= 0x80 && tag <= 0xbf) return 0;
  if (tag >= 0xc0 && tag <= 0xcf) return 1;
  if (tag >= 0xd0 && tag <= 0xd7) return 2;
  if (tag >= 0xd8 && tag <= 0xef) return 0;
  if (tag >= 0xf0) return 1;
  if (tag >= 0x38 && tag <= 0x3f) return 2;
  switch (tag) {
    case 0x4e: // null, true, false, 0.0, 1.0
    case 0x54:
    case 0x46:
    case 0x5b:
    case 0x5c:
      return 0;
    case 0x5d: // doubles of one and two bytes
      return 1;
    case 0x5e:
      return 2;
    case 0x49: // int, long of four bytes, date in minutes, double of four bytes
    case 0x59:
    case 0x4b:
    case 0x5f:
      return 4;
    case 0x4c: // long, double, date
    case 0x44:
    case 0x4a:
      return 8;
    default:
      throw new Malformed("no such tag");
  }
}
