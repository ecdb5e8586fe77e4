// SPDX-License-Identifier: Apache-2.0
// Parts of MySQL packets: commands, length-encoded numbers, the login, and whose they look like.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import type { Claim } from "../../../wire/protocol.ts";
import { errorText } from "../error_text.ts";
import { startsStatement } from "../sql_start.ts";
import { latin1Of } from "../../../wire/text.ts";

/** Capability bits of the login. */
export const CLIENT_SSL = 0x800;
export const DEPRECATE_EOF = 0x0100_0000;
export const OPTIONAL_METADATA = 0x0200_0000;
export const QUERY_ATTRIBUTES = 0x0800_0000;
const CONNECT_WITH_DB = 8;
const PLUGIN_AUTH_LENENC = 0x0020_0000;
const SECURE_CONNECTION = 0x8000;
const PROTOCOL_41 = 0x200;

/** Commands by code, without their COM_. */
export const COMMANDS: Readonly<Record<number, string>> = {
  1: "QUIT",
  2: "INIT_DB",
  3: "QUERY",
  4: "FIELD_LIST",
  5: "CREATE_DB",
  6: "DROP_DB",
  7: "REFRESH",
  8: "SHUTDOWN",
  9: "STATISTICS",
  10: "PROCESS_INFO",
  12: "PROCESS_KILL",
  13: "DEBUG",
  14: "PING",
  17: "CHANGE_USER",
  18: "BINLOG_DUMP",
  21: "REGISTER_SLAVE",
  22: "STMT_PREPARE",
  23: "STMT_EXECUTE",
  24: "STMT_SEND_LONG_DATA",
  25: "STMT_CLOSE",
  26: "STMT_RESET",
  27: "SET_OPTION",
  28: "STMT_FETCH",
  30: "BINLOG_DUMP_GTID",
  31: "RESET_CONNECTION",
  250: "STMT_BULK_EXECUTE",
};

/** QUIT, STMT_SEND_LONG_DATA and STMT_CLOSE are not answered. */
export const ONE_WAY: ReadonlySet<number> = new Set([1, 24, 25]);

/** INIT_DB, QUERY, FIELD_LIST, CREATE_DB, DROP_DB, STMT_PREPARE: the arguments are text. */
export const WITH_TEXT: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 22]);

/** Commands of a fixed length, the code included. */
const EXACT_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  9: 1,
  10: 1,
  13: 1,
  14: 1,
  25: 5,
  26: 5,
  27: 3,
  28: 9,
  31: 1,
};

/** A length-encoded integer; values beyond 2^53 are inexact. */
export function lengthEncoded(cursor: Cursor): number {
  const first = cursor.u8();
  if (first < 0xfb) return first;
  if (first === 0xfc) return cursor.u16le();
  if (first === 0xfd) return cursor.u24le();
  if (first === 0xfe) return Number(cursor.u64le());
  throw new Malformed("no length begins with this byte");
}

export interface Login {
  readonly capabilities: number;
  readonly user: string;
  readonly database: string;
}

/**
 * capabilities u32le | max packet u32le | charset u8 | 23 zeros | user NUL | auth | database NUL
 */
export function readHandshakeResponse(cursor: Cursor, bytes: number): Login {
  const capabilities = cursor.u32le();
  if ((capabilities & PROTOCOL_41) === 0) return { capabilities, user: "", database: "" };
  cursor.skip(28);
  if (bytes <= 32) return { capabilities, user: "", database: "" };
  const user = cursor.cstring();
  if ((capabilities & PLUGIN_AUTH_LENENC) !== 0) cursor.skip(lengthEncoded(cursor));
  else if ((capabilities & SECURE_CONNECTION) !== 0) cursor.skip(cursor.u8());
  else cursor.cstring();
  const named = (capabilities & CONNECT_WITH_DB) !== 0 && cursor.captured > 0;
  return { capabilities, user, database: named ? cursor.cstring() : "" };
}

/** Of a login the protocol is that of 4.1, and a range of bytes is empty. */
export function isLogin(at: (offset: number) => number, bytes: number): boolean {
  if (bytes < 32 || (at(1) & PROTOCOL_41 >> 8) === 0) return false;
  for (let offset = 9; offset < 28; offset++) if (at(offset) !== 0) return false;
  return true;
}

/** Bytes of a binary value by type; types not named have a length before them. */
const VALUE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  3: 4,
  4: 4,
  5: 8,
  6: 0,
  8: 8,
  9: 4,
  13: 2,
};

/**
 * count | sets, always 1 | if count > 0: null bits | 1 | count × (type u16le, name) | values.
 * Returns the attribute "traceparent", by which connectors hand on trace context, or "".
 */
export function readQueryAttributes(cursor: Cursor): string {
  const count = lengthEncoded(cursor);
  lengthEncoded(cursor);
  if (count === 0) return "";
  if (count > 64) throw new Malformed("more attributes than a query has");
  const nulls = cursor.bytes(count + 7 >> 3).slice();
  cursor.skip(1);
  const declared: { type: number; name: string }[] = [];
  for (let i = 0; i < count; i++) {
    declared.push({ type: cursor.u16le() & 0xff, name: cursor.latin1(lengthEncoded(cursor)) });
  }
  let traceparent = "";
  declared.forEach(({ type, name }, i) => {
    if (((nulls[i >> 3] ?? 0) >> (i & 7) & 1) === 1) return;
    const bytes = VALUE_BYTES[type] ?? lengthEncoded(cursor);
    const value = cursor.textCaptured(bytes, 128);
    if (name === "traceparent") traceparent = value;
  });
  return traceparent;
}

export interface ServerError {
  readonly errno: number;
  readonly sqlstate: string;
  /** Values masked, unless asked for. */
  readonly message: string;
  readonly status: "client_error" | "server_error";
}

/** The rest of an ERR packet: errno u16le | ['#' sqlstate 5] | message */
export function readError(cursor: Cursor, unmask: boolean): ServerError {
  const errno = cursor.u16le();
  const hasState = cursor.peekOr(0) === 0x23;
  if (hasState) cursor.skip(1);
  const sqlstate = hasState ? cursor.latin1(Math.min(5, cursor.captured)) : "";
  const message = errorText(cursor.textCaptured(cursor.remaining, 512), unmask);
  // The client library's own numbers; all others the server gives.
  const client = errno >= 2000 && errno < 3000;
  return { errno, sqlstate, message, status: client ? "client_error" : "server_error" };
}

/** Second byte of a zlib stream, by level. */
export const DEFLATE: ReadonlySet<number> = new Set([0x01, 0x5e, 0x9c, 0xda]);

const NO: Claim = { kind: "no" };
const FIELD_LIST = 4;
/** A statement that is cut has so many bytes at least. */
const LONG_BYTES = 512;

export function probeMysql(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 5) return length < 5 ? { kind: "maybe" } : NO;
  const size = (bytes[0] ?? 0) | (bytes[1] ?? 0) << 8 | (bytes[2] ?? 0) << 16;
  const sequence = bytes[3] ?? 0;
  const code = bytes[4] ?? 0;
  if (size === 0 || sequence > 3) return NO;
  if (size + 7 === length) return compressedUnit(bytes, size);
  if (sequence === 0 && size + 4 === length) {
    if (code === 10 && length > 40) return greeting(bytes);
    if (code === 0xff) return refusal(bytes);
    if (EXACT_BYTES[code] === size) return { kind: "request", score: size === 1 ? 55 : 60 };
    if (WITH_TEXT.has(code) && size > 1) return textCommand(bytes, code);
    return code === 23 && size >= 10 ? { kind: "request", score: 60 } : NO;
  }
  if (sequence === 0 && size + 4 > length && (code === 3 || code === 22)) {
    // The beginning of a long one.
    const begun = length > LONG_BYTES && startsStatement(headOf(bytes, code));
    return begun ? { kind: "request", score: 80 } : NO;
  }
  if (sequence === 1 && size + 4 === length && bytes.length >= 36) {
    const at = (offset: number) => bytes[4 + offset] ?? 1;
    if (isLogin(at, size) && /^[ -~]*$/.test(latin1Of(bytes, 36, bytes.indexOf(0, 36)))) {
      return { kind: "request", score: 88 };
    }
  }
  return sequence === 1 && size + 4 <= length ? answer(bytes, length, size, code) : NO;
}

/** A whole unit of the compressed protocol: a command as it is, or deflated bytes. */
function compressedUnit(bytes: Uint8Array, size: number): Claim {
  if (bytes.length < 12) return NO;
  const inflated = (bytes[4] ?? 0) | (bytes[5] ?? 0) << 8 | (bytes[6] ?? 0) << 16;
  if (inflated === 0) return bytes[3] === 0 ? probeMysql(bytes.subarray(7), size) : NO;
  const deflated = bytes[7] === 0x78 && DEFLATE.has(bytes[8] ?? 0) && inflated > size;
  return deflated ? { kind: bytes[3] === 0 ? "request" : "response", score: 75 } : NO;
}

/** In place of a greeting: errno u16le | text: the host may not connect, or too many have. */
function refusal(bytes: Uint8Array): Claim {
  const errno = (bytes[5] ?? 0) | (bytes[6] ?? 0) << 8;
  const told = errno >= 1_000 && errno < 2_000 &&
    /^[#A-Z][ -~\xa0-\uffff]{12,}$/.test(latin1Of(bytes, 7, bytes.length));
  return told ? { kind: "response", score: 88 } : NO;
}

/** `0a`, then a version in text: digits and dots, then a NUL. */
function greeting(bytes: Uint8Array): Claim {
  const end = bytes.indexOf(0, 5);
  if (end < 8 || end > 80) return NO;
  const version = latin1Of(bytes, 5, end);
  return /^\d+\.\d+[\x20-\x7e]*$/.test(version) ? { kind: "response", score: 98 } : NO;
}

/** The beginning of a text; in a query of version 8 it stands behind no attributes, in one set. */
function headOf(bytes: Uint8Array, code: number): string {
  const start = code === 3 && bytes[5] === 0 && bytes[6] === 1 ? 7 : 5;
  return latin1Of(bytes, start, start + 32);
}

function textCommand(bytes: Uint8Array, code: number): Claim {
  const head = headOf(bytes, code);
  // The table of FIELD_LIST ends with NUL, and a pattern may stand behind it.
  const text = code === FIELD_LIST ? head.replace("\0", "") : head;
  if (/[^\t\n\r -\uffff]/.test(text)) return NO;
  if (code !== 3 && code !== 22) return { kind: "request", score: 60 };
  return { kind: "request", score: startsStatement(head) ? 95 : 65 };
}

/** The first packet of an answer: OK, ERR with its '#', or a column count with columns behind. */
function answer(bytes: Uint8Array, length: number, size: number, code: number): Claim {
  if (code === 0xff && size >= 9 && bytes[7] === 0x23) return { kind: "response", score: 85 };
  if (code === 0 && size >= 7 && size + 4 === length) return { kind: "response", score: 50 };
  const columns = size === 1 && code > 0 && code < 0xfb && bytes[8] === 2;
  return columns && bytes[9] === 3 && bytes[10] === 0x64 ? { kind: "response", score: 90 } : NO;
}
