// SPDX-License-Identifier: Apache-2.0
// Do bytes look like RESP? A type byte, what that type allows, and CRLF near.

import type { Claim } from "../../wire/protocol.ts";

const NO: Claim = { kind: "no" };
const MAYBE: Claim = { kind: "maybe" };

/** A command: `*<n>` and `$<n>` lines. Nothing else has both. */
const COMMAND: Claim = { kind: "request", score: 92 };
const INLINE: Claim = { kind: "request", score: 55 };
const REPLY: Claim = { kind: "response", score: 70 };
const WEAK_REPLY: Claim = { kind: "response", score: 50 };

/** Inline commands that a probe believes in: what people and health checks type. */
const INLINE_LINE = new RegExp(
  "^(?:" + [
    "(?:PING|INFO)(?: [\\w.-]+)?",
    "AUTH \\S+(?: \\S+)?",
    "(?:GET|KEYS) [^\\s,]+",
    "(?:DEL|EXISTS)(?: [^\\s,]+)+",
    "SET \\S+ \\S+",
    "SELECT \\d{1,4}",
    "QUIT|MONITOR|DBSIZE",
  ].join("|") + ")$",
  "i",
);
/** A line that has not ended. */
const INLINE_REST = /^(?:[A-Z]{1,7}(?: [^\s,]*)*)?$/i;
const INLINE_BYTES = 512;
const HEADER_BYTES_MAX = 64;

export function probeRedis(bytes: Uint8Array, length: number): Claim {
  const first = bytes[0] as number;
  const line = firstLine(bytes);
  const whole = line !== null;
  const text = line ?? ascii(bytes, 0, Math.min(bytes.length, HEADER_BYTES_MAX));
  const cut: Claim = length === bytes.length && bytes.length < HEADER_BYTES_MAX ? MAYBE : NO;
  switch (first) {
    case 0x2a: // *
      if (!/^\*(-1|\d{0,7})$/.test(text)) return NO;
      return whole ? probeArray(bytes, length, text.length + 2) : cut;
    case 0x24: // $
    case 0x3d: // =
    case 0x21: // !
      if (!/^.(-1|\d{0,10})$/.test(text)) return NO;
      return whole ? probeBulk(bytes, text) : cut;
    case 0x3a: // :
    case 0x28: // (
      return matches(/^.[+-]?\d{1,400}$/, text, whole, cut);
    case 0x25: // %
    case 0x7e: // ~
    case 0x3e: // >
    case 0x7c: // |
      return matches(/^.\d{1,7}$/, text, whole, cut);
    case 0x5f: // _
      return matches(/^_$/, text, whole, cut);
    case 0x23: // #
      return matches(/^#[tf]$/, text, whole, cut);
    case 0x2c: // ,
      return matches(/^,([+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|inf)|nan)$/, text, whole, cut);
    case 0x2b: // +
      if (!/^\+[\x20-\x7e]*$/.test(text)) return NO;
      if (!whole) return cut;
      return /^\+(OK|PONG|QUEUED|FULLRESYNC|CONTINUE)/.test(text) ? REPLY : WEAK_REPLY;
    case 0x2d: // -
      if (!/^-[\x20-\x7e]*$/.test(text)) return NO;
      if (!whole) return cut;
      return /^-[A-Z]{2,20}( |$)/.test(text) ? REPLY : WEAK_REPLY;
    default:
      return whole && INLINE_LINE.test(text) ? probeInline(bytes) : NO;
  }
}

/** All lines that can be seen as a whole are commands: "get …" also begins sentences. */
function probeInline(bytes: Uint8Array): Claim {
  const lines = ascii(bytes, 0, Math.min(bytes.length, INLINE_BYTES)).split("\r\n");
  const rest = lines.pop() ?? "";
  return lines.every((line) => INLINE_LINE.test(line)) && INLINE_REST.test(rest) ? INLINE : NO;
}

/** After `*<n>`: commands consist of bulk strings, replies of anything. */
function probeArray(bytes: Uint8Array, length: number, at: number): Claim {
  if (bytes.length <= at) return length > bytes.length || bytes.length < at ? WEAK_REPLY : REPLY;
  const text = ascii(bytes, at, Math.min(bytes.length, at + 12));
  const match = /^\$\d{1,10}\r\n/.exec(text);
  if (match === null) return /^[+\-:$*_#,(!=%~>|]/.test(text) ? WEAK_REPLY : NO;
  const name = ascii(
    bytes,
    at + match[0].length,
    Math.min(bytes.length, at + match[0].length + 24),
  );
  return /^[A-Za-z][A-Za-z0-9._-]*(\r|$)/.test(name) ? COMMAND : WEAK_REPLY;
}

/** A bulk string must end with CRLF, where that can be seen. */
function probeBulk(bytes: Uint8Array, header: string): Claim {
  const end = header.length + 2 + Number(header.slice(1));
  if (header === "$-1") return REPLY;
  if (end + 1 >= bytes.length) return WEAK_REPLY;
  return bytes[end] === 0x0d && bytes[end + 1] === 0x0a ? REPLY : NO;
}

function matches(pattern: RegExp, text: string, whole: boolean, cut: Claim): Claim {
  if (!whole) return cut;
  return pattern.test(text) ? WEAK_REPLY : NO;
}

/** The first line without its CRLF; null when it does not end near. */
function firstLine(bytes: Uint8Array): string | null {
  const end = Math.min(bytes.length, HEADER_BYTES_MAX);
  for (let i = 1; i < end; i++) {
    if (bytes[i] === 0x0a) return bytes[i - 1] === 0x0d ? ascii(bytes, 0, i - 1) : null;
  }
  return null;
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}
