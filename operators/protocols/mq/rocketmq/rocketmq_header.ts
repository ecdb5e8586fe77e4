// SPDX-License-Identifier: Apache-2.0
// The header of a RocketMQ command in its two forms.
//
//   JSON  : {"code":…,"extFields":{…},"flag":…,"language":…,"opaque":…,"remark":…,"version":…}
//   binary: code i16 | language u8 | version i16 | opaque i32 | flag i32 | remark: bytes i32, text
//           | extFields: bytes i32, of (name: bytes i16, text | value: bytes i32, text)

import { type Cursor, Malformed } from "../../../wire/cursor.ts";

export interface Header {
  code: number;
  version: number;
  opaque: number;
  flag: number;
  remark: string;
  language: string;
  readonly ext: Map<string, string>;
}

const EXT_MAX = 128;

const newHeader = (): Header => ({
  code: -1,
  version: 0,
  opaque: 0,
  flag: 0,
  remark: "",
  language: "",
  ext: new Map(),
});

export function readHeader(cursor: Cursor, binary: boolean, bytes: number): Header {
  return binary ? readBinary(cursor, bytes) : readJson(cursor.text(bytes));
}

function readJson(text: string): Header {
  const header = newHeader();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Malformed("header is no JSON");
  }
  if (typeof json !== "object" || json === null) throw new Malformed("header is no object");
  const values = json as Readonly<Record<string, unknown>>;
  for (const name in values) {
    const value = values[name];
    switch (name) {
      case "code":
      case "version":
      case "opaque":
      case "flag":
        if (typeof value === "number") header[name] = value;
        break;
      case "remark":
      case "language":
        if (typeof value === "string") header[name] = value;
        break;
      case "extFields":
        readExt(value, header.ext);
    }
  }
  if (header.code < 0) throw new Malformed("header without a code");
  return header;
}

function readExt(value: unknown, ext: Map<string, string>): void {
  if (typeof value !== "object" || value === null) return;
  const texts = value as Readonly<Record<string, unknown>>;
  for (const name in texts) {
    if (ext.size >= EXT_MAX) return;
    if (texts[name] !== null) ext.set(name, String(texts[name]));
  }
}

function readBinary(cursor: Cursor, bytes: number): Header {
  const header = newHeader();
  const end = cursor.position + bytes;
  header.code = cursor.i16();
  cursor.skip(1);
  header.version = cursor.i16();
  header.opaque = cursor.i32();
  header.flag = cursor.i32();
  header.remark = cursor.text(cursor.u32());
  const extEnd = cursor.u32() + cursor.position;
  if (extEnd > end) throw new Malformed("fields past the header");
  while (cursor.position < extEnd && header.ext.size < EXT_MAX) {
    header.ext.set(cursor.text(cursor.u16()), cursor.text(cursor.u32()));
  }
  cursor.rewind(end);
  return header;
}
