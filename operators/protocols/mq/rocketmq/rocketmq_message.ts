// SPDX-License-Identifier: Apache-2.0
// A stored message of RocketMQ, as the body of a pull response holds them, and its properties.
//
//   size u32 | magic u32 | crc u32 | queue u32 | flag u32 | queue offset u64 | offset u64
//   | system flag u32 | born u64, host | stored u64, host | tries u32 | transaction u64
//   | body: bytes u32 | topic: bytes u8 (u16 in version 2) | properties: bytes u16
//   host: address 4 or 16 bytes, port u32        properties: name 01 value 02 …

import type { Identity } from "../../../../model/message.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";

export interface Properties {
  readonly identity: Identity | null;
  /** The key that the producer's library gave the message. */
  readonly uniqueKey: string;
  readonly keys: string;
  readonly tags: string;
}

export interface Stored extends Properties {
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly bodyBytes: number;
}

const MAGIC_1 = 0xdaa320a7, MAGIC_2 = 0xdaa320ab;

export function readProperties(text: string): Properties {
  const reader = new IdentityReader();
  let uniqueKey = "", keys = "", tags = "";
  for (const pair of text.split("\u0002", 64)) {
    const end = pair.indexOf("\u0001");
    if (end <= 0) continue;
    const name = pair.slice(0, end);
    const value = pair.slice(end + 1);
    if (name === "UNIQ_KEY") uniqueKey = value;
    else if (name === "KEYS") keys = value;
    else if (name === "TAGS") tags = value;
    else reader.add(name.toLowerCase(), value);
  }
  return { identity: reader.identity(), uniqueKey, keys, tags };
}

/** The first message of a pull response. */
export function readStored(cursor: Cursor): Stored {
  cursor.skip(4);
  const magic = cursor.u32();
  if (magic !== MAGIC_1 && magic !== MAGIC_2) throw new Malformed("not a stored message");
  cursor.skip(4);
  const queueId = cursor.i32();
  cursor.skip(4);
  const offset = Number(cursor.i64());
  cursor.skip(8);
  const system = cursor.u32();
  cursor.skip(8 + ((system & 0x10) !== 0 ? 20 : 8));
  cursor.skip(8 + ((system & 0x20) !== 0 ? 20 : 8));
  cursor.skip(12);
  const bodyBytes = cursor.u32();
  cursor.skip(bodyBytes);
  const topic = cursor.text(magic === MAGIC_2 ? cursor.u16() : cursor.u8());
  return { topic, queueId, offset, bodyBytes, ...readProperties(cursor.text(cursor.u16())) };
}
