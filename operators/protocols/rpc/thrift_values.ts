// SPDX-License-Identifier: Apache-2.0
// Walks the structs of Thrift's two encodings: nothing but their ends tells how long they are.
//
//   binary : field = type u8 (0 ends) | id i16 | value      lists: type u8 | count i32
//   compact: field = delta 4 bits | type 4 bits (0 ends) | [id zigzag] | value
//            lists: count 4 bits | type 4 bits | [count varint]      numbers: zigzag varints

import { type Cursor, Malformed } from "../../wire/cursor.ts";

const DEPTH_MAX = 32;

/** What the first level of a struct tells: the ids of its fields, its text and its number. */
export interface Struct {
  /** Id of the first field, -1 in an empty struct. */
  first: number;
  /** The first text, as it is in a TApplicationException. */
  text: string;
  /** The first i32. */
  number: number;
}

export function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return value;
  }
  throw new Malformed("varint of more than ten bytes");
}

const zigzag = (value: number): number => value % 2 === 0 ? value / 2 : -(value + 1) / 2;

/** Reads a struct up to its end. */
export function readStruct(cursor: Cursor, compact: boolean): Struct {
  const struct: Struct = { first: -1, text: "", number: 0 };
  if (compact) compactStruct(cursor, 0, struct);
  else binaryStruct(cursor, 0, struct);
  return struct;
}

function binaryStruct(cursor: Cursor, depth: number, into: Struct | null): void {
  if (depth > DEPTH_MAX) throw new Malformed("structs too deep");
  for (;;) {
    const type = cursor.u8();
    if (type === 0) return;
    const id = cursor.i16();
    if (into !== null && into.first < 0) into.first = id;
    if (into !== null && type === 11) into.text ||= shortText(cursor, cursor.u32());
    else if (into !== null && type === 8) into.number ||= cursor.i32();
    else binaryValue(cursor, type, depth);
  }
}

/** The beginning of a text; the rest of it is passed. */
function shortText(cursor: Cursor, bytes: number): string {
  return cursor.textCaptured(bytes, 256);
}

/** Bytes of values of fixed size, by type; the last one is a UUID. */
const BINARY_BYTES = [0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8, 0, 0, 0, 0, 0, 16];

function binaryValue(cursor: Cursor, type: number, depth: number): void {
  const bytes = BINARY_BYTES[type];
  if (bytes === undefined) throw new Malformed("no such type");
  if (bytes > 0) return cursor.skip(bytes);
  switch (type) {
    case 11:
      return cursor.skip(cursor.u32());
    case 12:
      return binaryStruct(cursor, depth + 1, null);
    case 13: {
      const key = cursor.u8();
      const value = cursor.u8();
      const count = cursor.u32();
      for (let i = 0; i < count; i++) {
        binaryValue(cursor, key, depth + 1);
        binaryValue(cursor, value, depth + 1);
      }
      return;
    }
    case 14:
    case 15:
      return binaryList(cursor, cursor.u8(), cursor.u32(), depth);
    default:
      throw new Malformed("no such type");
  }
}

function binaryList(cursor: Cursor, type: number, count: number, depth: number): void {
  if (depth > DEPTH_MAX) throw new Malformed("lists too deep");
  const bytes = BINARY_BYTES[type] ?? 0;
  if (bytes > 0) return cursor.skip(count * bytes);
  for (let i = 0; i < count; i++) binaryValue(cursor, type, depth + 1);
}

function compactStruct(cursor: Cursor, depth: number, into: Struct | null): void {
  if (depth > DEPTH_MAX) throw new Malformed("structs too deep");
  let id = 0;
  for (;;) {
    const head = cursor.u8();
    if (head === 0) return;
    const type = head & 15;
    id = head >> 4 === 0 ? zigzag(readVarint(cursor)) : id + (head >> 4);
    if (into !== null && into.first < 0) into.first = id;
    if (type <= 2) continue;
    if (into !== null && type === 8) into.text ||= shortText(cursor, readVarint(cursor));
    else if (into !== null && type === 5) into.number ||= zigzag(readVarint(cursor));
    else compactValue(cursor, type, depth);
  }
}

function compactValue(cursor: Cursor, type: number, depth: number): void {
  if (depth > DEPTH_MAX) throw new Malformed("values too deep");
  switch (type) {
    case 1: // true and false, in lists, and a byte
    case 2:
    case 3:
      return cursor.skip(1);
    case 4: // i16, i32, i64
    case 5:
    case 6:
      return void readVarint(cursor);
    case 7:
      return cursor.skip(8);
    case 8:
      return cursor.skip(readVarint(cursor));
    case 9:
    case 10: {
      const head = cursor.u8();
      const count = head >> 4 === 15 ? readVarint(cursor) : head >> 4;
      for (let i = 0; i < count; i++) compactValue(cursor, head & 15, depth + 1);
      return;
    }
    case 11: {
      const count = readVarint(cursor);
      const types = count === 0 ? 0 : cursor.u8();
      for (let i = 0; i < count; i++) {
        compactValue(cursor, types >> 4, depth + 1);
        compactValue(cursor, types & 15, depth + 1);
      }
      return;
    }
    case 12:
      return compactStruct(cursor, depth + 1, null);
    case 13:
      return cursor.skip(16);
    default:
      throw new Malformed("no such type");
  }
}
