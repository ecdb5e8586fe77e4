// SPDX-License-Identifier: Apache-2.0
// Tokens of a TDS response that can be read without the types of its columns.
//
//   ERROR aa, INFO ab: bytes u16 | number i32 | state u8 | class u8 | text: units u16 …
//   ENVCHANGE e3     : bytes u16 | type u8 (1 database) | new: units u8 …
//   DONE fd, fe, ff  : status u16 (1 more, 2 error, 10 count) | command u16 | rows u64
//
// Rows cannot be passed by without their columns, so reading stops there; the DONE that ends the
// response is its last 13 bytes.

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
}

export const newOutcome = (): Outcome => ({
  code: 0,
  severity: 0,
  message: "",
  rows: -1,
  failed: false,
  database: "",
});

const DONE_BYTES = 13;
const ERROR = 0xaa, INFO = 0xab, ENVCHANGE = 0xe3, RETURN_STATUS = 0x79;
/** LOGINACK, ORDER, SSPI, COLINFO, TABNAME: a length of two bytes is in front. */
const SIZED = new Set([0xad, 0xa9, 0xed, 0xa5, 0xa4]);
const isDone = (token: number): boolean => token >= 0xfd;

/** Reads tokens until one that depends on columns, or the end. */
export function readTokens(cursor: Cursor, outcome: Outcome, unmask: boolean): void {
  while (cursor.captured > 0) {
    const token = cursor.u8();
    if (isDone(token)) readDone(cursor, outcome);
    else if (token === RETURN_STATUS) cursor.skip(4);
    else if (token === ERROR || token === ENVCHANGE) {
      const bytes = cursor.u16le();
      const end = cursor.position + bytes;
      if (token === ERROR) readError(cursor, outcome, unmask);
      else if (cursor.u8() === 1) outcome.database = readUnits(cursor, cursor.u8());
      cursor.rewind(end);
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

function readDone(cursor: Cursor, outcome: Outcome): void {
  const status = cursor.u16le();
  cursor.skip(2);
  const rows = Number(cursor.u64le());
  if ((status & 2) !== 0) outcome.failed = true;
  if ((status & 0x10) !== 0 && rows <= Number.MAX_SAFE_INTEGER) outcome.rows = rows;
}

/** The DONE at the end of the packet that the cursor is in, when it has not been read yet. */
export function readLastDone(cursor: Cursor, outcome: Outcome): void {
  const left = cursor.remaining;
  if (left < DONE_BYTES) return;
  cursor.skip(left - DONE_BYTES);
  if (isDone(cursor.u8())) readDone(cursor, outcome);
}

/** Severities up to 16 are the statement's fault. */
export function statusOf(outcome: Outcome): Status {
  if (!outcome.failed) return "ok";
  return outcome.severity > 0 && outcome.severity <= 16 ? "client_error" : "server_error";
}
