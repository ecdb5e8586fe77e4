// SPDX-License-Identifier: Apache-2.0
// Texts as the serializations of Dubbo write them, where no more than the first ones are read.
//
//   kryo     : ASCII of 2 to 63 letters: the bytes, the last one with bit 7
//              else: length + 1, its first byte with bit 7 and 6 bits, then bit 6 = more follows
//   fastjson2: length u32, then JSONB: 49 + length (ASCII, up to 47 letters), 79 length | 7a length

import { attempt } from "../../wire/attempt.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";

const TEXT_BYTES_MAX = 4_096;

/** Names of entries that may be trace context or tell who calls. */
const KRYO_NAMES = [
  ...["traceparent", "b3", "x-b3-traceid", "x-b3-spanid", "uber-trace-id", "sw8", "sw6", "sw3"],
  ...["x-request-id", "EagleEye-TraceID", "EagleEye-SpanID", "group", "remote.application"],
].map((name) => ({ name, bytes: kryoName(name) }));

/** Class of a text in front of it, as kryo registers it. */
const KRYO_TEXT = 3;

export type ReadText = (cursor: Cursor) => string;

/** By the serialization's number in the head of a frame. */
export const TEXT_READERS: ReadonlyMap<number, ReadText> = new Map([
  [8, kryoText],
  [23, jsonbText],
  [25, kryoText],
]);

/**
 * Attachments of kryo stand behind arguments of any class, which nothing tells the length of: names
 * are searched for in what is left of the frame.
 */
export function eachKryoEntry(cursor: Cursor, each: (name: string, value: string) => void): void {
  const start = cursor.position;
  const rest = cursor.bytes(cursor.captured);
  for (const { name, bytes } of KRYO_NAMES) {
    const at = find(rest, bytes);
    if (at < 0 || rest[at + bytes.length] !== KRYO_TEXT) continue;
    cursor.rewind(start + at + bytes.length + 1);
    attempt(() => each(name, kryoText(cursor)));
  }
  cursor.rewind(start + rest.length);
}

/** As kryo writes a short text: its last letter has bit 7. */
function kryoName(name: string): Uint8Array {
  const bytes = Uint8Array.from(name, (letter) => letter.charCodeAt(0));
  bytes[bytes.length - 1] = name.charCodeAt(name.length - 1) | 0x80;
  return bytes;
}

/** Where `part` stands behind the class of a text, -1 where it does not. */
function find(bytes: Uint8Array, part: Uint8Array): number {
  const last = part[part.length - 1] ?? 0;
  for (let end = bytes.indexOf(last); end >= 0; end = bytes.indexOf(last, end + 1)) {
    const at = end - part.length + 1;
    if (at > 0 && bytes[at - 1] === KRYO_TEXT && part.every((byte, i) => bytes[at + i] === byte)) {
      return at;
    }
  }
  return -1;
}

function kryoText(cursor: Cursor): string {
  const first = cursor.peek();
  if (first >= 0x80) {
    cursor.skip(1);
    let length = first & 0x3f;
    for (let more = (first & 0x40) !== 0, shift = 6; more; shift += 7) {
      const byte = cursor.u8();
      length += (byte & 0x7f) << shift;
      more = byte >= 0x80 && shift < 20;
    }
    if (length > TEXT_BYTES_MAX) throw new Malformed("text too long");
    return length < 2 ? "" : cursor.text(length - 1);
  }
  let count = 0;
  while (cursor.peek(count) < 0x80) if (++count > 63) throw new Malformed("no end of a text");
  const head = cursor.latin1(count);
  return head + String.fromCharCode(cursor.u8() & 0x7f);
}

function jsonbText(cursor: Cursor): string {
  const size = cursor.u32();
  if (size > TEXT_BYTES_MAX) throw new Malformed("text too long");
  const end = cursor.position + size;
  const tag = cursor.u8();
  if (tag >= 0x49 && tag <= 0x78) return cursor.latin1(tag - 0x49);
  if (tag !== 0x79 && tag !== 0x7a) throw new Malformed("no text");
  const first = cursor.u8();
  if (first >= 0x30 && first <= 0x3f) cursor.skip(1);
  else if (first > 0x2f) throw new Malformed("no length of a text");
  return cursor.text(end - cursor.position);
}
