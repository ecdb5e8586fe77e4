// SPDX-License-Identifier: Apache-2.0
// Are these bytes HTTP/2? By its preface, or frames whose types, flags, sizes and streams agree.

import type { Claim } from "../../../wire/protocol.ts";
import { latin1Of } from "../../../wire/text.ts";

export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER_BYTES = 9;
export const FRAME_BYTES_MAX = 1 << 20;
const DATA = 0, HEADERS = 1, RST_STREAM = 3, CONTINUATION = 9;
const END_HEADERS = 4;

const NO: Claim = { kind: "no" };

/** The preface, a server's SETTINGS as the first frame, or frames in a row with HEADERS. */
export function probeHttp2(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] === 0x50) {
    const head = latin1Of(bytes, 0, PREFACE.length);
    if (head === PREFACE) return { kind: "request", score: 100 };
    return PREFACE.startsWith(head) && length < PREFACE.length ? { kind: "maybe" } : NO;
  }
  if (bytes.length < FRAME_HEADER_BYTES) return NO;
  let at = 0;
  let frames = 0;
  let headers = false;
  while (at + FRAME_HEADER_BYTES <= bytes.length) {
    const size = (bytes[at] ?? 0) << 16 | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0);
    const type = bytes[at + 3] ?? 0, flags = bytes[at + 4] ?? 0, high = bytes[at + 5] ?? 0;
    const rest = (bytes[at + 6] ?? 0) | (bytes[at + 7] ?? 0) | (bytes[at + 8] ?? 0);
    const zero = (high & 0x7f) === 0 && rest === 0;
    if (!plausible(type, flags, size, zero) || high > 0x7f) return NO;
    headers ||= type === HEADERS;
    frames++;
    at += FRAME_HEADER_BYTES + size;
  }
  if (at < length && at <= bytes.length) return NO;
  if (frames > 0 && bytes[3] === 4 && bytes[4] === 0) return { kind: "response", score: 90 };
  return headers && at === length ? { kind: "either", score: 80 } : NO;
}

/** Which flags, sizes and streams each type of frame allows. */
function plausible(type: number, flags: number, size: number, zero: boolean): boolean {
  switch (type) {
    case DATA:
      return !zero && (flags & ~9) === 0 && size <= FRAME_BYTES_MAX;
    case HEADERS:
      return !zero && (flags & ~0x2d) === 0 && size > 0 && size <= FRAME_BYTES_MAX;
    case 2:
      return !zero && size === 5;
    case RST_STREAM:
      return !zero && size === 4 && flags === 0;
    case 4:
      return zero && flags <= 1 && size % 6 === 0 && size <= 240;
    case 6:
      return zero && size === 8 && flags <= 1;
    case 7:
      return zero && size >= 8 && size < 1_024;
    case 8:
      return size === 4 && flags === 0;
    case CONTINUATION:
      return !zero && (flags & ~END_HEADERS) === 0;
    default:
      return false;
  }
}
