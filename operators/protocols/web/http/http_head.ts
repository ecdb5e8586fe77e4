// SPDX-License-Identifier: Apache-2.0
// The head of an HTTP/1 message: first line and the headers that are of interest, in one pass.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { decodeLatin1 } from "../../../wire/text.ts";
import { IdentityReader } from "../../../wire/trace_context.ts";
import type { Identity } from "../../../../model/message.ts";

export interface Head {
  /** Of requests; "" in responses. */
  method: string;
  target: string;
  /** Of responses; 0 in requests. */
  code: number;
  /** "1.0", "1.1" */
  version: string;
  host: string;
  userAgent: string;
  referer: string;
  clientIp: string;
  contentType: string;
  /** -1 when the head does not say. */
  contentLength: number;
  chunked: boolean;
  upgrade: string;
  /** X-Amz-Target: service and operation of AWS. */
  amzTarget: string;
  /** The body is compressed. */
  encoded: boolean;
  identity: Identity | null;
  /** Part of the head was not captured: what is known stands here. */
  clipped: boolean;
}

/** A head longer than this is nonsense. */
const HEAD_BYTES_MAX = 65_536;
const SPACE = 0x20;
const LF = 0x0a;
const COLON = 0x3a;

export function readHead(cursor: Cursor): Head {
  const buffer = cursor.buffer, end = cursor.end;
  let at = cursor.at;
  let lineEnd = findLf(buffer, at, end);
  if (lineEnd < 0) return unfinished(cursor, at, newHead());
  const head = newHead();
  readFirstLine(buffer, at, textEnd(buffer, at, lineEnd), head);
  const identity: { reader: IdentityReader | null } = { reader: null };
  while (true) {
    at = lineEnd + 1;
    const colon = nameEnd(buffer, at, end);
    lineEnd = findLf(buffer, colon, end);
    if (lineEnd < 0) {
      head.identity = identity.reader?.identity() ?? null;
      return unfinished(cursor, at, head);
    }
    const stop = textEnd(buffer, at, lineEnd);
    if (stop === at) break;
    if (colon < stop) readHeader(buffer, at, colon, stop, head, identity);
  }
  cursor.at = lineEnd + 1;
  if (identity.reader !== null) head.identity = identity.reader.identity();
  return head;
}

export const newHead = (): Head => ({
  method: "",
  target: "",
  code: 0,
  version: "",
  host: "",
  userAgent: "",
  referer: "",
  clientIp: "",
  contentType: "",
  contentLength: -1,
  chunked: false,
  upgrade: "",
  amzTarget: "",
  encoded: false,
  identity: null,
  clipped: false,
});

/** The head does not end within the captured bytes: they come, or what is known must do. */
function unfinished(cursor: Cursor, lineStart: number, head: Head): Head {
  if (cursor.captured > HEAD_BYTES_MAX) throw new Malformed("head too long");
  if (cursor.remaining === cursor.captured) cursor.need(cursor.captured + 1);
  head.clipped = true;
  const known = head.version !== "" || readCutFirstLine(cursor.buffer, lineStart, cursor.end, head);
  // Neither a method nor a status code was captured: this throws.
  if (!known) cursor.need(cursor.captured + 1);
  cursor.at = cursor.end;
  return head;
}

function findLf(buffer: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) if (buffer[i] === LF) return i;
  return -1;
}

/** Index of the colon, or of the end of a line without one. */
function nameEnd(buffer: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const c = buffer[i];
    if (c === COLON || c === LF) return i;
  }
  return end;
}

function textEnd(buffer: Uint8Array, start: number, lineEnd: number): number {
  return lineEnd > start && buffer[lineEnd - 1] === 0x0d ? lineEnd - 1 : lineEnd;
}

function readFirstLine(buffer: Uint8Array, start: number, end: number, head: Head): void {
  if (isVersion(buffer, start, end)) {
    const code = (digit(buffer, start + 9) * 10 + digit(buffer, start + 10)) * 10 +
      digit(buffer, start + 11);
    if (buffer[start + 8] !== SPACE || !(code >= 100 && code <= 999)) {
      throw new Malformed("status line");
    }
    head.version = versionAt(buffer, start);
    head.code = code;
    return;
  }
  const methodEnd = tokenEnd(buffer, start, end);
  const versionStart = end - 8;
  if (
    methodEnd === start || buffer[methodEnd] !== SPACE || versionStart <= methodEnd + 1 ||
    buffer[versionStart - 1] !== SPACE || !isVersion(buffer, versionStart, end)
  ) throw new Malformed("request line");
  head.method = decodeLatin1(buffer, start, methodEnd);
  head.target = decodeLatin1(buffer, methodEnd + 1, versionStart - 1);
  head.version = versionAt(buffer, versionStart);
}

/** A first line that was not captured up to its end: false when it says nothing yet. */
function readCutFirstLine(buffer: Uint8Array, start: number, end: number, head: Head): boolean {
  if (isVersion(buffer, start, end)) {
    if (end - start < STATUS_BYTES) return false;
    readFirstLine(buffer, start, end, head);
    return true;
  }
  const methodEnd = tokenEnd(buffer, start, end);
  if (methodEnd === end) return false;
  if (methodEnd === start || (buffer[methodEnd] !== SPACE && !isCutVersion(buffer, start, end))) {
    throw new Malformed("first line");
  }
  if (buffer[methodEnd] !== SPACE) return false;
  head.method = decodeLatin1(buffer, start, methodEnd);
  head.target = decodeLatin1(buffer, methodEnd + 1, end);
  return true;
}

/** "HTTP/1.1 200" */
const STATUS_BYTES = 12;

/** The beginning of "HTTP/1.1". */
function isCutVersion(buffer: Uint8Array, start: number, end: number): boolean {
  return end - start < 8 && "HTTP/1.".startsWith(decodeLatin1(buffer, start, end));
}

/** End of the upper-case word that begins at `start`; methods may hold "-" and "_". */
function tokenEnd(buffer: Uint8Array, start: number, end: number): number {
  let i = start;
  for (; i < end && i < start + METHOD_BYTES_MAX; i++) {
    const c = buffer[i] as number;
    if (!(c >= 0x41 && c <= 0x5a) && c !== 0x2d && c !== 0x5f) break;
  }
  return i;
}

const METHOD_BYTES_MAX = 32;

/** "HTTP/1.0" or "HTTP/1.1" */
function isVersion(buffer: Uint8Array, at: number, end: number): boolean {
  return at + 8 <= end && buffer[at] === 0x48 && buffer[at + 1] === 0x54 &&
    buffer[at + 2] === 0x54 && buffer[at + 3] === 0x50 && buffer[at + 4] === 0x2f &&
    buffer[at + 5] === 0x31 && buffer[at + 6] === 0x2e &&
    (buffer[at + 7] === 0x31 || buffer[at + 7] === 0x30);
}

const versionAt = (buffer: Uint8Array, at: number): string =>
  buffer[at + 7] === 0x31 ? "1.1" : "1.0";

/** NaN when it is none. */
function digit(buffer: Uint8Array, at: number): number {
  const value = (buffer[at] ?? 0) - 0x30;
  return value >= 0 && value <= 9 ? value : NaN;
}

/** Names are told apart by their length first: most headers are of no interest. */
function readHeader(
  buffer: Uint8Array,
  start: number,
  colon: number,
  end: number,
  head: Head,
  identity: { reader: IdentityReader | null },
): void {
  switch (colon - start) {
    case 4:
      if (head.host === "" && is(buffer, start, "host")) head.host = value(buffer, colon, end);
      return;
    case 7:
      if (is(buffer, start, "referer")) head.referer = value(buffer, colon, end);
      else if (is(buffer, start, "upgrade")) head.upgrade = value(buffer, colon, end);
      return;
    case 9:
      if (head.clientIp === "" && is(buffer, start, "x-real-ip")) {
        head.clientIp = value(buffer, colon, end);
      }
      return;
    case 10:
      if (is(buffer, start, "user-agent")) head.userAgent = value(buffer, colon, end);
      return;
    case 12:
      if (is(buffer, start, "content-type")) head.contentType = value(buffer, colon, end);
      else if (is(buffer, start, "x-amz-target")) head.amzTarget = value(buffer, colon, end);
      break;
    case 14:
      if (is(buffer, start, "content-length")) head.contentLength = length(buffer, colon, end);
      return;
    case 15:
      if (is(buffer, start, "x-forwarded-for")) {
        head.clientIp = value(buffer, colon, end).split(",", 1)[0] as string;
      }
      return;
    case 16:
      if (is(buffer, start, "content-encoding")) {
        head.encoded = value(buffer, colon, end).toLowerCase() !== "identity";
      }
      break;
    case 17:
      if (is(buffer, start, "transfer-encoding")) {
        head.chunked = /(^|[ ,])chunked$/i.test(value(buffer, colon, end));
      }
      return;
  }
  if (mayIdentify(buffer, start, colon - start)) {
    const name = decodeLatin1(buffer, start, colon).toLowerCase();
    (identity.reader ??= new IdentityReader()).add(name, value(buffer, colon, end));
  }
}

/** First letters and lengths of the headers that IdentityReader knows. */
function mayIdentify(buffer: Uint8Array, start: number, nameBytes: number): boolean {
  switch ((buffer[start] as number) | 0x20) {
    case 0x74: // traceparent
      return nameBytes === 11;
    case 0x62: // b3
      return nameBytes === 2;
    case 0x75: // uber-trace-id
      return nameBytes === 13;
    case 0x73: // sw8, sw6, sw3
      return nameBytes === 3;
    case 0x78: // x-b3-traceid, x-b3-spanid, x-request-id, x-correlation-id
      return nameBytes >= 11 && nameBytes <= 16;
    default:
      return false;
  }
}

/** Whether the bytes at `at` are `name`, which is in lower case, in any case. */
function is(buffer: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (((buffer[at + i] as number) | 0x20) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** Text after the colon, without white space around it. */
function value(buffer: Uint8Array, colon: number, end: number): string {
  const from = pastBlanks(buffer, colon + 1, end);
  return decodeLatin1(buffer, from, beforeBlanks(buffer, from, end));
}

/** One to 15 digits. */
function length(buffer: Uint8Array, colon: number, end: number): number {
  let from = pastBlanks(buffer, colon + 1, end);
  const to = beforeBlanks(buffer, from, end);
  while (to > from + LENGTH_DIGITS_MAX && buffer[from] === 0x30) from++;
  let bytes = to === from || to > from + LENGTH_DIGITS_MAX ? NaN : 0;
  for (let i = from; i < to; i++) bytes = bytes * 10 + digit(buffer, i);
  if (Number.isNaN(bytes)) throw new Malformed("content length");
  return bytes;
}

const LENGTH_DIGITS_MAX = 15;

function pastBlanks(buffer: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && (buffer[i] === SPACE || buffer[i] === 0x09)) i++;
  return i;
}

function beforeBlanks(buffer: Uint8Array, from: number, end: number): number {
  let i = end;
  while (i > from && (buffer[i - 1] === SPACE || buffer[i - 1] === 0x09)) i--;
  return i;
}
