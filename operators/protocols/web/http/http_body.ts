// SPDX-License-Identifier: Apache-2.0
// Bodies of HTTP/1: passed over, never kept. Progress is kept between reads, so that a body of
// many chunks is gone through once.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import type { Step } from "../../../wire/protocol.ts";
import type { Head } from "./http_head.ts";
import type { Scan } from "./http_scan.ts";

/** What is to come of a message whose head was read. */
export interface Body {
  mode: "none" | "length" | "chunks" | "chunk" | "trailers" | "close" | "lost";
  /** Bytes to be passed over in "length", and in "chunk", the end of its line among them. */
  bytes: number;
  /** Whether there is a body at all is not known: the request was not seen, and may be HEAD. */
  unsure: boolean;
  /** Looks at what passes; null where nobody wants to know. */
  scan: Scan | null;
}

export function newBody(): Body {
  return { mode: "none", bytes: 0, unsure: false, scan: null };
}

/** Sets `body` to what follows the head, and moves past as much of it as is at hand as a whole. */
export function startBody(
  cursor: Cursor,
  body: Body,
  head: Head,
  present: boolean,
  scan: Scan | null = null,
): void {
  body.scan = scan;
  if (head.clipped) body.mode = "lost";
  else if (!present) body.mode = "none";
  else if (head.chunked) body.mode = scan === null && passChunks(cursor) ? "none" : "chunks";
  else if (head.contentLength < 0) body.mode = "close";
  else if (scan === null && !body.unsure && head.contentLength <= cursor.remaining) {
    cursor.skip(head.contentLength);
  } else {
    body.mode = "length";
    body.bytes = head.contentLength;
  }
}

export function readBody(cursor: Cursor, body: Body): Step {
  switch (body.mode) {
    case "length":
      if (body.bytes === 0 || (body.unsure && isNextResponse(cursor))) break;
      body.unsure = false;
      return body.scan === null ? skip(body, body.bytes) : look(cursor, body, body.scan, 0);
    case "chunks":
      return readChunk(cursor, body);
    case "chunk":
      if (body.scan !== null && body.bytes > 0) return look(cursor, body, body.scan, 2);
      body.mode = "chunks";
      return NOTHING;
    case "trailers":
      // The chunk size 0 was read; the trailer section ends with an empty line.
      if (chunkLineIsClipped(cursor)) return lost(body);
      return cursor.line(LINE_BYTES_MAX) === "" ? end(body) : NOTHING;
    case "close":
      return { kind: "skip", bytes: Infinity };
    case "lost":
      return lost(body);
    case "none":
      break;
  }
  return end(body);
}

const LINE_BYTES_MAX = 8_192;
/** "0", an empty line after it. */
const LAST_CHUNK_BYTES = 5;
const CHUNK_BYTES_MAX = 0x1_0000_0000_0000;
const NOTHING: Step = { kind: "nothing" };
const END: Step = { kind: "end" };
const LOST: Step = { kind: "lost" };

function skip(body: Body, bytes: number): Step {
  body.bytes = 0;
  return { kind: "skip", bytes };
}

/** "HTTP/" where the body would begin. */
function isNextResponse(cursor: Cursor): boolean {
  for (let i = 0; i < NEXT.length; i++) {
    if (cursor.captured <= i && cursor.remaining > i) return false;
    if (cursor.peek(i) !== NEXT.charCodeAt(i)) return false;
  }
  return true;
}

const NEXT = "HTTP/";

/** Shows what is at hand to the scan; the last `apart` bytes are none of the body's. */
function look(cursor: Cursor, body: Body, scan: Scan, apart: number): Step {
  const captured = Math.min(cursor.captured, body.bytes);
  if (captured > 0) {
    const part = cursor.bytes(captured);
    const own = Math.min(captured, Math.max(0, body.bytes - apart));
    scan.take(own === captured ? part : part.subarray(0, own));
    body.bytes -= captured;
    return NOTHING;
  }
  const passed = Math.min(cursor.remaining, body.bytes);
  if (passed === 0) cursor.need(1);
  if (body.bytes > apart) scan.missed();
  body.bytes -= passed;
  return { kind: "skip", bytes: passed };
}

function end(body: Body): Step {
  body.mode = "none";
  body.unsure = false;
  if (body.scan === null) return END;
  const fields = body.scan.fields();
  body.scan = null;
  return { kind: "end", fields };
}

/** The end of the message cannot be found any more. */
function lost(body: Body): Step {
  body.mode = "none";
  return LOST;
}

function readChunk(cursor: Cursor, body: Body): Step {
  if (cursor.captured === 0 && cursor.remaining === LAST_CHUNK_BYTES) {
    // Not captured, but so long and at the end of a call it can hardly be anything else.
    cursor.skip(LAST_CHUNK_BYTES);
    return end(body);
  }
  if (chunkLineIsClipped(cursor)) return lost(body);
  const size = chunkSize(cursor.line(LINE_BYTES_MAX));
  if (size < 0) throw new Malformed("chunk size");
  if (size > 0 && body.scan !== null) {
    body.mode = "chunk";
    body.bytes = size + 2;
    return NOTHING;
  }
  if (size > 0) return { kind: "skip", bytes: size + 2 };
  body.mode = "trailers";
  return NOTHING;
}

function chunkLineIsClipped(cursor: Cursor): boolean {
  return cursor.captured < cursor.remaining && cursor.find(0x0a) < 0;
}

/** -1 when it is none. */
function chunkSize(line: string): number {
  let size = 0;
  let i = 0;
  for (; i < line.length; i++) {
    const digit = hexDigit(line.charCodeAt(i));
    if (digit < 0) break;
    size = size * 16 + digit;
    if (size > CHUNK_BYTES_MAX) return -1;
  }
  const next = i < line.length ? line[i] : ";";
  return i > 0 && (next === ";" || next === " " || next === "\t") ? size : -1;
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** So much of a request's body is enough to tell what it is about. */
const PREFIX_BYTES = 8_192;

/**
 * The beginning of the body that follows, as far as it was captured; the cursor stays where it is.
 * It is waited for, so that the same is told however the bytes came.
 */
export function bodyPrefix(cursor: Cursor, head: Head): string {
  if (head.clipped || head.encoded) return "";
  const start = cursor.position;
  let bytes = head.contentLength;
  if (head.chunked) {
    if (cursor.captured < cursor.remaining && cursor.find(0x0a) < 0) return "";
    bytes = chunkSize(cursor.line(LINE_BYTES_MAX));
  }
  const text = bytes > 0 ? cursor.textCaptured(Math.min(bytes, PREFIX_BYTES)) : "";
  cursor.rewind(start);
  return text;
}

/**
 * Moves past the whole chunked body, trailers included; false, not having moved, if it is not
 * there.
 */
function passChunks(cursor: Cursor): boolean {
  const start = cursor.position;
  let trailers = false;
  while (true) {
    const n = cursor.find(0x0a);
    if (n < 0 || n > LINE_BYTES_MAX) break;
    const line = cursor.line(LINE_BYTES_MAX);
    if (trailers) {
      if (line === "") return true;
      continue;
    }
    const size = chunkSize(line);
    if (size === 0) trailers = true;
    else if (size > 0 && size + 2 <= cursor.captured) cursor.skip(size + 2);
    else break;
  }
  cursor.rewind(start);
  return false;
}
