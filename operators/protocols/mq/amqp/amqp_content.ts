// SPDX-License-Identifier: Apache-2.0
// The content header of AMQP 0-9-1: size of the body and properties, tables of headers included.
//
//   class u16 | weight u16 | body size u64 | flags u16 | a property for each flag, highest first
//   table: bytes u32 | (name, type u8, value) …        name: length u8 | bytes

import type { Identity } from "../../../../model/message.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";
import { shortText } from "./amqp_methods.ts";

export interface Content {
  readonly bodyBytes: number;
  readonly messageId: string;
  readonly correlationId: string;
  readonly replyTo: string;
  readonly identity: Identity | null;
}

/** Reads the payload of a header frame, which the cursor has entered. */
export function readContent(cursor: Cursor): Content {
  cursor.skip(4);
  const bodyBytes = Number(cursor.u64());
  if (bodyBytes > Number.MAX_SAFE_INTEGER) throw new Malformed("no size of a body");
  const flags = cursor.u16();
  const has = (bit: number): boolean => (flags >> bit & 1) === 1;
  const reader = new IdentityReader();
  if (has(15)) cursor.skip(cursor.u8());
  if (has(14)) cursor.skip(cursor.u8());
  if (has(13)) readTable(cursor, reader);
  if (has(12)) cursor.skip(1);
  if (has(11)) cursor.skip(1);
  const correlationId = has(10) ? shortText(cursor) : "";
  const replyTo = has(9) ? shortText(cursor) : "";
  if (has(8)) cursor.skip(cursor.u8());
  const messageId = has(7) ? shortText(cursor) : "";
  return { bodyBytes, messageId, correlationId, replyTo, identity: reader.identity() };
}

/** Texts of the table may be trace context; what lies in tables within is passed over. */
function readTable(cursor: Cursor, reader: IdentityReader): void {
  const bytes = cursor.u32();
  if (bytes > cursor.remaining) throw new Malformed("table past its frame");
  const end = cursor.position + bytes;
  while (cursor.position < end) {
    const name = shortText(cursor);
    const type = cursor.u8();
    if (type === 0x53 || type === 0x78) reader.add(name.toLowerCase(), cursor.text(cursor.u32()));
    else cursor.skip(valueBytes(cursor, type));
  }
  if (cursor.position > end) throw new Malformed("value past its table");
}

/** Bytes of a value by the letter of its type, as RabbitMQ uses them. */
function valueBytes(cursor: Cursor, type: number): number {
  switch (String.fromCharCode(type)) {
    case "V":
      return 0;
    case "t":
    case "b":
    case "B":
      return 1;
    case "s":
    case "u":
    case "U":
      return 2;
    case "I":
    case "i":
    case "f":
      return 4;
    case "D":
      return 5;
    case "l":
    case "L":
    case "d":
    case "T":
      return 8;
    case "A":
    case "F":
      return cursor.u32();
    default:
      throw new Malformed("no such type of a value");
  }
}
