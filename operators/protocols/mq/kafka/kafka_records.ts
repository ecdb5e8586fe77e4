// SPDX-License-Identifier: Apache-2.0
// The headers of the first record of a batch, where trace context travels.
//
//   batch : offset i64 | length i32 | leader epoch i32 | magic i8 = 2 | crc u32 | attributes i16
//           | last delta i32 | times i64 ×2 | producer i64 | epoch i16 | sequence i32 | count i32
//   record: length varint | attributes i8 | time varint | offset varint | key | value | headers

import type { Identity } from "../../../../model/message.ts";
import { attempt } from "../../../wire/attempt.ts";
import { Cursor } from "../../../wire/cursor.ts";
import { keyOfBytes } from "../../../wire/payload/envelope.ts";
import { unpackRecords } from "./kafka_packed.ts";
import { uvarint, varint } from "./kafka_types.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";

const BATCH_HEADER_BYTES = 61;
const MAGIC_AT = 16;
/** From here on a broker changes nothing, unless it sets the time itself. */
const CRC_AT = 17;
const HEADERS_MAX = 64;
const VALUE_BYTES_MAX = 256;

export interface Records {
  /** Records of the first batch; 0 when unknown. */
  readonly count: number;
  readonly identity: Identity | null;
  /** The same in the request that brings the batch and in responses that deliver it. */
  readonly key: bigint | null;
  readonly offset: number;
}

const NONE: Records = { count: 0, identity: null, key: null, offset: -1 };

/** The cursor stands at a record batch, as much of which is read as was captured. */
export function readRecords(cursor: Cursor): Records {
  if (cursor.captured < BATCH_HEADER_BYTES || cursor.peek(MAGIC_AT) !== 2) return NONE;
  const { buffer, at } = cursor;
  const key = keyOfBytes(buffer, at + CRC_AT, BATCH_HEADER_BYTES - CRC_AT, 0, "kafka");
  const offset = Number(cursor.i64());
  const bytes = cursor.u32();
  cursor.skip(9);
  const codec = cursor.u16() & 7;
  cursor.skip(BATCH_HEADER_BYTES - 23 - 4);
  const count = Math.max(0, cursor.i32());
  const known = { count, key, offset };
  if (count < 1) return { ...known, identity: null };
  const packedBytes = Math.min(cursor.captured, bytes + 12 - BATCH_HEADER_BYTES);
  if (codec === 0) return { ...known, identity: identityIn(cursor) };
  return { ...known, identity: unpackedIdentity(codec, cursor.bytes(Math.max(0, packedBytes))) };
}

/** The records that a reader of one batch after the other finds, as far as they were captured. */
export function readBatches(cursor: Cursor, bytes: number, batches: Records[]): void {
  const end = cursor.position + bytes;
  for (let n = 0; n < BATCHES_MAX && cursor.position + BATCH_HEADER_BYTES < end; n++) {
    const start = cursor.position;
    if (cursor.captured < BATCH_HEADER_BYTES || cursor.peek(MAGIC_AT) !== 2) return;
    cursor.skip(8);
    const size = cursor.u32();
    cursor.rewind(start);
    batches.push(readRecords(cursor));
    cursor.rewind(start);
    cursor.skip(size + 12);
  }
}

/** Batches of one partition that are told one by one. */
const BATCHES_MAX = 64;

/** Headers that are cut short tell nothing; the batch is one all the same. */
function identityIn(cursor: Cursor): Identity | null {
  let identity: Identity | null = null;
  attempt(() => void (identity = readHeaders(cursor)));
  return identity;
}

function unpackedIdentity(codec: number, packed: Uint8Array): Identity | null {
  const records = unpackRecords(codec, packed);
  if (records.length === 0) return null;
  const cursor = new Cursor();
  cursor.reset(records, 0, records.length, records.length);
  cursor.enter(records.length);
  return identityIn(cursor);
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
