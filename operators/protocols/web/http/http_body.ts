// SPDX-License-Identifier: Apache-2.0
// Bodies of HTTP/1: passed over, never kept. Progress is kept between reads, so that a body of
// many chunks is gone through once.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import type { Step } from "../../../wire/protocol.ts";
import type { Head } from "./http_head.ts";

/** What is to come of a message whose head was read. */
export interface Body {
  mode: "none" | "length" | "chunks" | "trailers" | "close" | "lost";
  /** Bytes to be passed over in "length". */
  bytes: number;
}

export function newBody(): Body {
  return { mode: "none", bytes: 0 };
}

/** Sets `body` to what follows the head, and moves past as much of it as is at hand as a whole. */
export function startBody(cursor: Cursor, body: Body, head: Head, present: boolean): void {
  if (head.clipped) body.mode = "lost";
  else if (!present) body.mode = "none";
  else if (head.chunked) body.mode = passChunks(cursor) ? "none" : "chunks";
  else if (head.contentLength < 0) body.mode = "close";
  else if (head.contentLength <= cursor.remaining) cursor.skip(head.contentLength);
  else {
    body.mode = "length";
    body.bytes = head.contentLength;
  }
}

export function readBody(cursor: Cursor, body: Body): Step {
  switch (body.mode) {
    case "length":
      if (body.bytes === 0) break;
      return skip(body, body.bytes);
    case "chunks":
      return readChunk(cursor, body);
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

function end(body: Body): Step {
  body.mode = "none";
  return END;
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
