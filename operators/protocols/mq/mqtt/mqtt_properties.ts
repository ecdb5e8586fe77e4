// SPDX-License-Identifier: Apache-2.0
// Lengths, texts and properties of MQTT packets.
//
//   length    : up to four bytes of 7 bits, lowest first, bit 7 = more follows
//   properties: length | (id u8 | value) …                                  (version 5 only)

import type { Identity } from "../../../../model/message.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";

export function remainingLength(cursor: Cursor): number {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = cursor.u8();
    length += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return length;
  }
  throw new Malformed("length of more than four bytes");
}

export const text = (cursor: Cursor): string => cursor.text(cursor.u16());

/** Bytes of a property's value by id; -1 binary or text, -2 varint, -3 a pair of texts. */
const PROPERTY_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 4,
  3: -1,
  8: -1,
  9: -1,
  11: -2,
  17: 4,
  18: -1,
  19: 2,
  21: -1,
  22: -1,
  23: 1,
  24: 4,
  25: 1,
  26: -1,
  28: -1,
  31: -1,
  33: 2,
  34: 2,
  35: 2,
  36: 1,
  37: 1,
  38: -3,
  39: 4,
  40: 1,
  41: 1,
  42: 1,
};

export interface Properties {
  /** User properties may carry trace context. */
  readonly identity: Identity | null;
  /** Topic alias, 0 where there is none. */
  readonly alias: number;
}

export const NO_PROPERTIES: Properties = { identity: null, alias: 0 };
const TOPIC_ALIAS = 35;

export function properties(cursor: Cursor): Properties {
  const bytes = remainingLength(cursor);
  const end = cursor.position + bytes;
  if (bytes > cursor.remaining) throw new Malformed("properties past the packet");
  const reader = new IdentityReader();
  let alias = 0;
  while (cursor.position < end) {
    const id = cursor.u8();
    const size = PROPERTY_BYTES[id];
    if (size === undefined) throw new Malformed("no such property");
    if (id === TOPIC_ALIAS) alias = cursor.u16();
    else if (size >= 0) cursor.skip(size);
    else if (size === -1) cursor.skip(cursor.u16());
    else if (size === -2) remainingLength(cursor);
    else reader.add(text(cursor).toLowerCase(), text(cursor));
  }
  return { identity: reader.identity(), alias };
}
