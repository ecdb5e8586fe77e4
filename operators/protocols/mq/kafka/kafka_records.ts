// SPDX-License-Identifier: Apache-2.0
// The headers of the first record of a batch, where trace context travels.
//
//   batch : offset i64 | length i32 | leader epoch i32 | magic i8 = 2 | crc u32 | attributes i16
//           | last delta i32 | times i64 ×2 | producer i64 | epoch i16 | sequence i32 | count i32
//   record: length varint | attributes i8 | time varint | offset varint | key | value | headers

import type { Identity } from "../../../../model/message.ts";
import type { Cursor } from "../../../wire/cursor.ts";
import { uvarint, varint } from "./kafka_types.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";

const BATCH_HEADER_BYTES = 61;
const MAGIC_AT = 16;
const HEADERS_MAX = 64;
const VALUE_BYTES_MAX = 256;

export interface Records {
  /** Records of the first batch; 0 when unknown. */
  readonly count: number;
  readonly identity: Identity | null;
}

const NONE: Records = { count: 0, identity: null };

/** The cursor stands at a record batch, as much of which is read as was captured. */
export function readRecords(cursor: Cursor): Records {
  if (cursor.captured < BATCH_HEADER_BYTES || cursor.peek(MAGIC_AT) !== 2) return NONE;
  cursor.skip(21);
  const compressed = (cursor.u16() & 7) !== 0;
  cursor.skip(BATCH_HEADER_BYTES - 23 - 4);
  const count = cursor.i32();
  if (compressed || count < 1) return { count: Math.max(0, count), identity: null };
  return { count, identity: readHeaders(cursor) };
}

/** A varint as long as the record allows; -1 when it was not captured. */
function readHeaders(cursor: Cursor): Identity | null {
  const bytes = varint(cursor);
  if (bytes < 6 || bytes > cursor.captured) return null;
  const end = cursor.position + bytes;
  cursor.skip(1);
  varint(cursor);
  varint(cursor);
  for (let part = 0; part < 2; part++) {
    const size = varint(cursor);
    if (size > end - cursor.position) return null;
    if (size > 0) cursor.skip(size);
  }
  const reader = new IdentityReader();
  let left = Math.min(HEADERS_MAX, uvarint(cursor) / 2);
  for (; left >= 1 && cursor.position < end; left--) {
    const nameBytes = varint(cursor);
    if (nameBytes < 0 || nameBytes > end - cursor.position) return null;
    const name = cursor.latin1(nameBytes);
    const valueBytes = varint(cursor);
    if (valueBytes > end - cursor.position) return null;
    if (valueBytes > 0) reader.add(name.toLowerCase(), value(cursor, valueBytes));
  }
  return reader.identity();
}

function value(cursor: Cursor, bytes: number): string {
  const shown = Math.min(bytes, VALUE_BYTES_MAX);
  const text = cursor.latin1(shown);
  cursor.skip(bytes - shown);
  return text;
}
