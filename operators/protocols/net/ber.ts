// SPDX-License-Identifier: Apache-2.0
// ASN.1 BER as LDAP and SNMP use it: tag u8 | length (u8, or 8n and n bytes) | value.

import { type Cursor, Malformed } from "../../wire/cursor.ts";

export const INTEGER = 0x02, OCTETS = 0x04, OID = 0x06, ENUMERATED = 0x0a, SEQUENCE = 0x30;

export interface Element {
  readonly tag: number;
  readonly bytes: number;
}

export function readElement(cursor: Cursor): Element {
  const tag = cursor.u8();
  return { tag, bytes: readLength(cursor) };
}

function readLength(cursor: Cursor): number {
  const first = cursor.u8();
  if (first < 0x80) return first;
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new Malformed("length of an unknown form");
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + cursor.u8();
  return length;
}

/** The next element, which must have this tag. */
export function readTagged(cursor: Cursor, tag: number): number {
  const element = readElement(cursor);
  if (element.tag !== tag) throw new Malformed("another element was expected");
  return element.bytes;
}

/** A signed number of so many bytes; those of more than six are of no use here. */
export function readNumber(cursor: Cursor, bytes: number): number {
  if (bytes < 1 || bytes > 6) throw new Malformed("number of an unknown size");
  let value = cursor.i8();
  for (let i = 1; i < bytes; i++) value = value * 256 + cursor.u8();
  return value;
}

export const readInteger = (cursor: Cursor, tag = INTEGER): number =>
  readNumber(cursor, readTagged(cursor, tag));

export const readOctets = (cursor: Cursor): string => cursor.text(readTagged(cursor, OCTETS));

/** An object identifier as numbers with dots. */
export function readOid(cursor: Cursor): string {
  const end = readTagged(cursor, OID) + cursor.position;
  const numbers: number[] = [];
  while (cursor.position < end && numbers.length < 64) {
    let value = 0;
    let byte = 0x80;
    while (byte >= 0x80) {
      byte = cursor.u8();
      value = value * 128 + (byte & 0x7f);
    }
    if (numbers.length > 0) numbers.push(value);
    else {numbers.push(
        Math.min(2, Math.floor(value / 40)),
        value - 40 * Math.min(2, Math.floor(value / 40)),
      );}
  }
  return numbers.join(".");
}
