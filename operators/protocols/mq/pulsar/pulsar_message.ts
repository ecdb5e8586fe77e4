// SPDX-License-Identifier: Apache-2.0
// What stands behind the command of a Pulsar SEND or MESSAGE: metadata, then the payload.
//
//   [0e 02 | broker metadata: bytes u32] [0e 01 | crc u32] metadata: bytes u32 | payload
//   payload of a batch: (single metadata: bytes u32 | message) …

import type { Identity } from "../../../../model/message.ts";
import type { Cursor } from "../../../wire/cursor.ts";
import { BYTES, readFields, readTextField, readVarint, VARINT } from "../../../wire/protobuf.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";

export interface MessageHead {
  producerName: string;
  /** Of the producer's own counting; empty where it was not read. */
  sequence: string;
  key: string;
  /** Messages of the batch; 0 where it is none. */
  batch: number;
  identity: Identity | null;
}

export function readMessageHead(cursor: Cursor): MessageHead {
  const head: MessageHead = { producerName: "", sequence: "", key: "", batch: 0, identity: null };
  let magic = cursor.u16();
  if (magic === 0x0e02) {
    cursor.skip(cursor.u32());
    magic = cursor.u16();
  }
  if (magic === 0x0e01) cursor.skip(4);
  else cursor.rewind(cursor.position - 2);
  const reader = new IdentityReader();
  let compressed = false;
  readFields(cursor, cursor.u32(), (field, type) => {
    if (field === 1 && type === BYTES) head.producerName = readTextField(cursor);
    else if (field === 2 && type === VARINT) head.sequence = String(readVarint(cursor));
    else if (field === 4 && type === BYTES) readProperty(cursor, reader);
    else if (field === 6 && type === BYTES) head.key = readTextField(cursor);
    else if (field === 8 && type === VARINT) compressed = readVarint(cursor) !== 0;
    else if (field === 11 && type === VARINT) head.batch = readVarint(cursor);
    else return false;
    return true;
  });
  head.identity = reader.identity();
  if (head.batch > 0 && !compressed && head.identity === null) {
    readFields(cursor, cursor.u32(), (field, type) => {
      if (field === 1 && type === BYTES) readProperty(cursor, reader);
      else if (field === 2 && type === BYTES) head.key = readTextField(cursor);
      else return false;
      return true;
    });
    head.identity = reader.identity();
  }
  return head;
}

/** KeyValue: 1 key, 2 value */
function readProperty(cursor: Cursor, reader: IdentityReader): void {
  let key = "";
  let value = "";
  readFields(cursor, readVarint(cursor), (field, type) => {
    if (type !== BYTES) return false;
    if (field === 1) key = readTextField(cursor);
    else if (field === 2) value = readTextField(cursor);
    else return false;
    return true;
  });
  reader.add(key.toLowerCase(), value);
}
