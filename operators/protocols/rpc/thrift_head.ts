// SPDX-License-Identifier: Apache-2.0
// The head of a Thrift message, and the headers that fbthrift (0fff) and Kitex (1000) put before
// it.
//
//   binary : 80 01 00 type | name: length i32, bytes | sequence id i32
//   compact: 82 | type 3 bits, version 5 bits | sequence id varint | name: length varint, bytes
//   THeader: 0f ff | flags u16 | sequence u32 | words u16 | protocol, transforms, infos … | message
//   TTHeader: 10 00, as THeader but with u8 and u16 in place of varints

import type { Identity } from "../../../model/message.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { IdentityReader } from "../../wire/trace_context.ts";
import { readVarint } from "./thrift_values.ts";

const NAME_BYTES_MAX = 256;

export interface ThriftHead {
  readonly compact: boolean;
  /** 1 call, 2 reply, 3 exception, 4 one-way. */
  readonly type: number;
  readonly name: string;
  readonly sequence: number;
}

export function readHead(cursor: Cursor): ThriftHead {
  const first = cursor.u8();
  if (first === 0x80) {
    if (cursor.u8() !== 1) throw new Malformed("no such version");
    cursor.skip(1);
    const type = cursor.u8() & 7;
    const name = nameOf(cursor, cursor.u32());
    return { compact: false, type, name, sequence: cursor.i32() };
  }
  if (first !== 0x82) throw new Malformed("not a message");
  const second = cursor.u8();
  if ((second & 31) !== 1) throw new Malformed("no such version");
  const sequence = readVarint(cursor) | 0;
  return { compact: true, type: second >> 5, name: nameOf(cursor, readVarint(cursor)), sequence };
}

function nameOf(cursor: Cursor, bytes: number): string {
  if (bytes > NAME_BYTES_MAX) throw new Malformed("name too long");
  return cursor.text(bytes);
}

export interface Headers {
  readonly identity: Identity | null;
  /** Named values, as Kitex numbers them too: 9 is the service called, 3 the caller. */
  readonly service: string;
  readonly caller: string;
}

/** Reads a THeader or TTHeader up to the message behind it. */
export function readHeaders(cursor: Cursor): Headers {
  const kitex = cursor.u16() === 0x1000;
  cursor.skip(6);
  const bytes = cursor.u16() * 4;
  const end = cursor.position + bytes;
  if (bytes > cursor.remaining) throw new Malformed("headers past their frame");
  const number = (): number => kitex ? cursor.u8() : readVarint(cursor);
  const size = (): number => kitex ? cursor.u16() : readVarint(cursor);
  const reader = new IdentityReader();
  let service = "";
  let caller = "";
  number();
  for (let transforms = number(); transforms > 0; transforms--) number();
  while (cursor.position < end) {
    const info = number();
    if (info === 0) break;
    if (info !== 1 && info !== 0x10) break;
    for (let count = size(); count > 0 && cursor.position < end; count--) {
      if (info === 1) reader.add(cursor.text(size()).toLowerCase(), cursor.text(size()));
      else {
        const key = size();
        const value = cursor.text(size());
        if (key === 6) service = value;
        else if (key === 3) caller = value;
      }
    }
  }
  cursor.rewind(end);
  return { identity: reader.identity(), service, caller };
}
