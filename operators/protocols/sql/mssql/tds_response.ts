// SPDX-License-Identifier: Apache-2.0
// Tokens of a TDS response that can be read without the types of its columns.
//
//   ERROR aa, INFO ab: bytes u16 | number i32 | state u8 | class u8 | text: units u16 …
//   ENVCHANGE e3     : bytes u16 | type u8 (1 database) | new: units u8 …
//   DONE fd, fe, ff  : status u16 (1 more, 2 error, 10 count) | command u16 | rows u64, or u32
//                      before version 7.2
//   RETURNVALUE ac   : ordinal u16 | name | status u8 | user type u32 or u16 | flags u16
//                      | INTN 26 | 4 | 4 | value            where it is the handle of a statement
//
// Rows cannot be passed by without their columns, so reading stops there; what ends the response
// is read from its last bytes on: [DONE of the statement] [79 …] [ac …] DONE.

import type { Status } from "../../../../model/status.ts";
import type { Cursor } from "../../../wire/cursor.ts";
import { errorText } from "../error_text.ts";
import { readUnits } from "./tds_request.ts";

export interface Outcome {
  code: number;
  /** Severity of the error. */
  severity: number;
  message: string;
  rows: number;
  failed: boolean;
  database: string;
  /** Of the statement that was prepared, 0 where none was. */
  handle: number;
}

export const newOutcome = (): Outcome => ({
  code: 0,
  severity: 0,
  message: "",
  rows: -1,
  failed: false,
  database: "",
  handle: 0,
});

const RETURN_VALUE = 0xac, INTN = 0x26, HANDLE_BYTES = 4;
/** Of the end of a response that is looked at. */
const TAIL_BYTES = 96;
const doneBytes = (old: boolean): number => old ? 9 : 13;
const ERROR = 0xaa, INFO = 0xab, ENVCHANGE = 0xe3, RETURN_STATUS = 0x79;
/** LOGINACK, ORDER, SSPI, COLINFO, TABNAME: a length of two bytes is in front. */
const SIZED = new Set([0xad, 0xa9, 0xed, 0xa5, 0xa4]);
const DONE_PROC = 0xfe, DONE_IN_PROC = 0xff;
const isDone = (token: number): boolean => token >= 0xfd;

/** Reads tokens until one that depends on columns, or the end. */
export function readTokens(
  cursor: Cursor,
  outcome: Outcome,
  { unmask, old }: { readonly unmask: boolean; readonly old: boolean },
): void {
  while (cursor.captured > 0) {
    const token = cursor.u8();
    if (isDone(token)) readDone(cursor, outcome, old);
    else if (token === RETURN_STATUS) cursor.skip(4);
    else if (token === ERROR || token === ENVCHANGE) {
      const bytes = cursor.u16le();
      const end = cursor.position + bytes;
      if (token === ERROR) readError(cursor, outcome, unmask);
      else if (cursor.u8() === 1) outcome.database = readUnits(cursor, cursor.u8());
      cursor.rewind(end);
    } else if (token === RETURN_VALUE) {
      if (!readHandle(cursor, outcome)) return;
    } else if (token === INFO || SIZED.has(token)) cursor.skip(cursor.u16le());
    else return;
  }
}

function readError(cursor: Cursor, outcome: Outcome, unmask: boolean): void {
  outcome.failed = true;
  const code = cursor.i32le();
  cursor.skip(1);
  const severity = cursor.u8();
  // Of several errors the worst tells.
  if (severity <= outcome.severity) return;
  outcome.code = code;
  outcome.severity = severity;
  outcome.message = errorText(readUnits(cursor, cursor.u16le()), unmask);
}

/** False where the value is another one than a handle. */
function readHandle(cursor: Cursor, outcome: Outcome): boolean {
  cursor.skip(2);
  cursor.skip(2 * cursor.u8() + 1);
  cursor.skip(cursor.peek(6) === INTN ? 6 : 4);
  if (cursor.u8() !== INTN || cursor.u8() !== HANDLE_BYTES || cursor.u8() !== HANDLE_BYTES) {
    return false;
  }
  outcome.handle = cursor.u32le();
  return true;
}

function readDone(cursor: Cursor, outcome: Outcome, old: boolean): void {
  const status = cursor.u16le();
  cursor.skip(2);
  noteDone(outcome, status, old ? cursor.u32le() : Number(cursor.u64le()));
}

function noteDone(outcome: Outcome, status: number, rows: number): void {
  if ((status & 2) !== 0) outcome.failed = true;
  if ((status & 0x10) !== 0 && rows <= Number.MAX_SAFE_INTEGER) outcome.rows = rows;
}

/** What ends the response, as far as the packet that the cursor is in has not been read yet. */
export function readLast(cursor: Cursor, outcome: Outcome, old: boolean): void {
  const size = doneBytes(old);
  if (cursor.remaining < size) return;
  cursor.skip(Math.max(0, cursor.remaining - TAIL_BYTES));
  const tail = cursor.bytes(cursor.remaining);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  const done = (at: number): void =>
    noteDone(
      outcome,
      view.getUint16(at + 1, true),
      old ? view.getUint32(at + 5, true) : Number(view.getBigUint64(at + 5, true)),
    );
  let at = tail.length - size;
  if (!isDone(tail[at] ?? 0)) return;
  done(at);
  if (tail[at] !== DONE_PROC) return;
  if (tail[at - 7] === INTN && tail[at - 6] === HANDLE_BYTES && tail[at - 5] === HANDLE_BYTES) {
    outcome.handle = view.getUint32(at - 4, true);
    at = tail.lastIndexOf(RETURN_VALUE, at - 16);
  }
  if (tail[at - 5] === RETURN_STATUS) at -= 5;
  if (at >= size && tail[at - size] === DONE_IN_PROC) done(at - size);
}

/** Severities up to 16 are the statement's fault. */
export function statusOf(outcome: Outcome): Status {
  if (!outcome.failed) return "ok";
  return outcome.severity > 0 && outcome.severity <= 16 ? "client_error" : "server_error";
}
