// SPDX-License-Identifier: Apache-2.0
// Frames of the PostgreSQL protocol: tags, lengths, and whose they look like.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import type { Claim } from "../../../wire/protocol.ts";
import { latin1Of } from "../../../wire/text.ts";
import { startsStatement } from "../sql_start.ts";

/** Codes that stand where a startup message has its version. */
export const CANCEL = 80_877_102;
export const SSL = 80_877_103;
export const GSS = 80_877_104;

/** Tags of messages by sender. C, D, E, H, S, c and d exist on both sides. */
export const FRONTEND = "QPBEDCSHFXpdcf";
export const BACKEND = "RKSZTDCENInt123sGHWAVdcv";

const FRAME_BYTES_MAX = 1 << 30;
/** Process and key, which has up to 256 bytes since version 3.2. */
const CANCEL_BYTES_MAX = 268;

/** Tag and length; what remains is the body. Malformed where no such message exists. */
export function readHeader(cursor: Cursor, tags: string): { tag: string; bytes: number } {
  const tag = String.fromCharCode(cursor.u8());
  const bytes = cursor.u32() - 4;
  if (!tags.includes(tag) || bytes < 0 || bytes > FRAME_BYTES_MAX) {
    throw new Malformed("no such message");
  }
  return { tag, bytes };
}

/** A statement that is cut has so many bytes at least. */
const LONG_BYTES = 512;
/** An error begins with its severity, mostly twice, and its code; Execute with a portal. */
const FAILURE = /^S[^\0]{3,20}\0(?:V[A-Z]+\0)?C[0-9A-Z]{5}\0/;
const NO: Claim = { kind: "no" };

export function probePostgresql(bytes: Uint8Array, length: number): Claim {
  const u32 = (at: number) =>
    ((bytes[at] ?? 0) << 24 | (bytes[at + 1] ?? 0) << 16 | (bytes[at + 2] ?? 0) << 8 |
      (bytes[at + 3] ?? 0)) >>> 0;
  if (bytes.length < 5) return length < 5 ? { kind: "maybe" } : NO;
  if (bytes[0] === 0) {
    const code = u32(4);
    if (u32(0) !== length) return NO;
    if (code === SSL || code === GSS) return { kind: "request", score: 100 };
    if (code === CANCEL) return length <= CANCEL_BYTES_MAX ? { kind: "request", score: 100 } : NO;
    return code >> 16 === 3 && (code & 0xffff) < 16 ? { kind: "request", score: 98 } : NO;
  }
  const tag = String.fromCharCode(bytes[0] ?? 0);
  const request = FRONTEND.includes(tag) && walk(bytes, length, FRONTEND, "QSXHE");
  const response = BACKEND.includes(tag) && walk(bytes, length, BACKEND, "ZCERNA");
  if (response && endsReady(bytes, length)) return { kind: "response", score: 92 };
  if (request && tag === "Q" && bytes[length - 1] === 0) return { kind: "request", score: 90 };
  if ((tag === "Q" || tag === "P") && u32(1) + 1 >= length && isBegun(bytes, length, tag)) {
    return { kind: "request", score: 85 };
  }
  if (request && (tag === "P" || tag === "B")) return { kind: "request", score: 88 };
  if (response && tag === "E" && FAILURE.test(latin1Of(bytes, 5, 64))) {
    return { kind: "response", score: 90 };
  }
  if (request && response) return { kind: "either", score: 40 };
  if (response && tag === "R" && u32(1) >= 8 && u32(5) <= 12) {
    return { kind: "response", score: 85 };
  }
  return NO;
}

/** A long statement of which the beginning is there; of Parse, behind its name. */
function isBegun(bytes: Uint8Array, length: number, tag: string): boolean {
  if (length < LONG_BYTES || (bytes[1] ?? 0) > 0) return false;
  const at = tag === "Q" ? 5 : bytes.indexOf(0, 5) + 1;
  return at > 0 && at < 70 && startsStatement(latin1Of(bytes, at, at + 32));
}

/** The messages lie end to end, and the last one is of a kind that ends a write. */
function walk(bytes: Uint8Array, length: number, tags: string, last: string): boolean {
  let at = 0;
  let tag = "";
  while (at + 5 <= bytes.length) {
    tag = String.fromCharCode(bytes[at] ?? 0);
    const size = ((bytes[at + 1] ?? 0) << 24 | (bytes[at + 2] ?? 0) << 16 |
      (bytes[at + 3] ?? 0) << 8 | (bytes[at + 4] ?? 0)) >>> 0;
    if (!tags.includes(tag) || size < 4 || size > FRAME_BYTES_MAX) return false;
    at += size + 1;
  }
  return at === length ? last.includes(tag) : at > bytes.length && bytes.length < length;
}

/** `Z 00 00 00 05` and a transaction status at the end. */
function endsReady(bytes: Uint8Array, length: number): boolean {
  const at = length - 6;
  return at >= 0 && bytes.length >= length && bytes[at] === 0x5a && bytes[at + 4] === 5 &&
    [0x49, 0x54, 0x45].includes(bytes[at + 5] ?? 0);
}
