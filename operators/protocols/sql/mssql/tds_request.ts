// SPDX-License-Identifier: Apache-2.0
// Requests of TDS: what a batch, a call of a procedure and a login ask for.
//
//   headers: bytes u32 | (bytes u32 | type u16 | data) …            (batch and call, little endian)
//   batch  : headers | text
//   call   : headers | name: units u16, text (ffff: number u16) | flags u16 | parameters …
//   param  : name: units u8, text | status u8 | type … | value
//   login  : 36 bytes | (offset u16, units u16) of host, user, password, application, server …
//
// Texts are UTF-16, little endian.

import { attempt } from "../../../wire/attempt.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { describeSql, type SqlText } from "../sql_text.ts";

const TEXT_BYTES_MAX = 8_192;

const utf16 = new TextDecoder("utf-16le");

/** So many UTF-16 units, or as many of them as are there. */
export function readUnits(cursor: Cursor, units: number): string {
  const bytes = Math.min(units * 2, TEXT_BYTES_MAX, cursor.captured & ~1);
  const text = decodeUnits(cursor.bytes(bytes));
  const rest = units * 2 - bytes;
  if (rest > 0) cursor.skip(Math.min(rest, cursor.remaining));
  return text;
}

/** A call of the decoder takes as long as this many units by themselves. */
const SHORT_BYTES = 64;

function decodeUnits(bytes: Uint8Array): string {
  if (bytes.length > SHORT_BYTES) return utf16.decode(bytes);
  let text = "";
  for (let i = 0; i < bytes.length; i += 2) {
    const unit = (bytes[i] as number) | (bytes[i + 1] as number) << 8;
    // Halves of pairs and marks of the byte order are the decoder's affair.
    if (unit >= 0xd800) return utf16.decode(bytes);
    text += String.fromCharCode(unit);
  }
  return text;
}

/** Connections before version 7.2 have no headers: their text begins at once. */
export const hasHeaders = (cursor: Cursor): boolean =>
  cursor.peekOr(1) === 0 && cursor.peekOr(2) === 0 && cursor.peekOr(3) === 0;

function passHeaders(cursor: Cursor): void {
  if (!hasHeaders(cursor)) return;
  const bytes = cursor.u32le();
  if (bytes < 4 || bytes - 4 > cursor.remaining) throw new Malformed("headers past the packet");
  cursor.skip(bytes - 4);
}

export function readBatch(cursor: Cursor, unmask: boolean): SqlText {
  passHeaders(cursor);
  return describeSql(readUnits(cursor, cursor.remaining >> 1), "other", unmask);
}

const PROCEDURES = [
  ...["", "sp_cursor", "sp_cursoropen", "sp_cursorprepare", "sp_cursorexecute"],
  ...["sp_cursorprepexec", "sp_cursorunprepare", "sp_cursorfetch", "sp_cursoroption"],
  ...["sp_cursorclose", "sp_executesql", "sp_prepare", "sp_execute", "sp_prepexec"],
  ...["sp_prepexecrpc", "sp_unprepare"],
];
/** Which parameter of these is the statement. */
const STATEMENT_AT: Readonly<Record<string, number>> = {
  sp_executesql: 0,
  sp_prepare: 2,
  sp_prepexec: 2,
  sp_cursoropen: 1,
  sp_cursorprepexec: 3,
};

/** The first parameter of these is the handle of a statement that was prepared. */
const BY_HANDLE = new Set(["sp_execute", "sp_unprepare", "sp_cursorexecute", "sp_cursorunprepare"]);

export interface Call {
  procedure: string;
  sql: SqlText | null;
  /** Of a statement that was prepared, 0 where none is called. */
  handle: number;
}

export function readCall(cursor: Cursor, unmask: boolean): Call {
  const call: Call = { procedure: "", sql: null, handle: 0 };
  attempt(() => {
    passHeaders(cursor);
    const units = cursor.u16le();
    call.procedure = units === 0xffff
      ? PROCEDURES[cursor.u16le()] ?? "procedure"
      : readUnits(cursor, units);
    cursor.skip(2);
    const name = call.procedure.toLowerCase();
    if (BY_HANDLE.has(name)) call.handle = readHandle(cursor);
    const at = STATEMENT_AT[name];
    if (at === undefined) return;
    for (let i = 0; i < at; i++) readParameter(cursor);
    const text = readParameter(cursor);
    if (text !== "") call.sql = describeSql(text, "other", unmask);
  });
  return call;
}

const TRANSACTIONS: Readonly<Record<number, string>> = {
  0: "DTC_ADDRESS",
  1: "PROPAGATE",
  5: "BEGIN",
  6: "PROMOTE",
  7: "COMMIT",
  8: "ROLLBACK",
  9: "SAVE",
};

/** What is asked of the transaction, "" where that is not there. */
export function readTransaction(cursor: Cursor): string {
  let name = "";
  attempt(() => {
    passHeaders(cursor);
    name = TRANSACTIONS[cursor.u16le()] ?? "";
  });
  return name;
}

const INTN = 0x26, INT4 = 0x38, NVARCHAR = 0xe7, NTEXT = 0x63;

function readHandle(cursor: Cursor): number {
  cursor.skip(cursor.u8() * 2 + 1);
  const type = cursor.u8();
  if (type === INT4) return cursor.u32le();
  if (type !== INTN || cursor.u8() !== 4 || cursor.u8() !== 4) return 0;
  return cursor.u32le();
}

/** The text of a parameter; "" of a number. Other types do not come before a statement. */
function readParameter(cursor: Cursor): string {
  cursor.skip(cursor.u8() * 2 + 1);
  const type = cursor.u8();
  if (type === INTN) {
    cursor.skip(1);
    cursor.skip(cursor.u8());
    return "";
  }
  if (type === NTEXT) {
    cursor.skip(9);
    return readUnits(cursor, cursor.u32le() >> 1);
  }
  if (type !== NVARCHAR) throw new Malformed("no text");
  const bytesMax = cursor.u16le();
  cursor.skip(5);
  if (bytesMax !== 0xffff) {
    const bytes = cursor.u16le();
    return bytes === 0xffff ? "" : readUnits(cursor, bytes >> 1);
  }
  // In parts: total u64, then parts with their lengths.
  cursor.skip(8);
  return readUnits(cursor, cursor.u32le() >> 1);
}

export interface Login {
  /** Before version 7.2. */
  old: boolean;
  user: string;
  application: string;
  database: string;
}

/** The password lies in the packet as well, and is not read. */
export function readLogin(cursor: Cursor): Login {
  const login: Login = { old: false, user: "", application: "", database: "" };
  const start = cursor.position;
  const at = (field: number): string => {
    cursor.rewind(start + field);
    const offset = cursor.u16le();
    const units = cursor.u16le();
    if (offset + units * 2 > cursor.remaining + cursor.position - start) return "";
    cursor.rewind(start + offset);
    return readUnits(cursor, units);
  };
  attempt(() => {
    cursor.skip(4);
    login.old = cursor.u32le() >>> 24 < 0x72;
    login.user = at(40);
    login.application = at(48);
    login.database = at(68);
  });
  return login;
}
