// SPDX-License-Identifier: Apache-2.0
// Do bytes look like RESP? A type byte, what that type allows, and CRLF near.

import type { Claim } from "../../wire/protocol.ts";
import { latin1Of } from "../../wire/text.ts";
import { isCommandName } from "./redis_names.ts";

const NO: Claim = { kind: "no" };
const MAYBE: Claim = { kind: "maybe" };

/** A command: `*<n>` and `$<n>` lines. Nothing else has both. */
const COMMAND: Claim = { kind: "request", score: 92 };
const INLINE: Claim = { kind: "request", score: 55 };
/** PING alone: NATS says it as well, and the answer tells. */
const PING: Claim = { kind: "request", score: 45 };
const REPLY: Claim = { kind: "response", score: 70 };
const WEAK_REPLY: Claim = { kind: "response", score: 50 };

const WORD = `(?: (?:"(?:\\\\.|[^"\\\\])*"|'(?:\\\\.|[^'\\\\])*'|[^\\s"']+))`;
/** Inline commands that a probe believes in: what people and health checks type. */
const INLINE_LINE = new RegExp(
  "^(?:" + [
    "PING|INFO(?: [\\w.-]+)?",
    "AUTH (?!PLAIN|LOGIN|CRAM-|DIGEST-|SCRAM-|XOAUTH|OAUTH|NTLM|GSSAPI)\\S+(?: \\S+)?",
    "HELLO [23](?: AUTH \\S+ \\S+)?",
    // A path is what the first version of HTTP gets.
    "GET [^\\s,/][^\\s,]*|KEYS [^\\s,]+",
    "(?:DEL|EXISTS)(?: [^\\s,]+)+",
    `(?:SET|PUBLISH)${WORD}{2}`,
    `SET${WORD}{2}(?: (?:NX|XX|GET|KEEPTTL|(?:EX|PX|EXAT|PXAT) \\d+))+`,
    "SELECT \\d{1,4}",
    "(?:INCR|DECR|TTL|PTTL|HGETALL|HKEYS|SMEMBERS|SCARD|LLEN|ZCARD) [^\\s,]+",
    "(?:HGET|EXPIRE|SISMEMBER) [^\\s,]+ [^\\s,]+",
    `(?:LPUSH|RPUSH|SADD|HSET|ZADD)${WORD}{2,16}`,
    "(?:LRANGE|ZRANGE) [^\\s,]+ -?\\d+ -?\\d+",
    "CLIENT (?:REPLY (?:ON|OFF|SKIP)|LIST|ID|INFO|GETNAME|SETNAME [^\\s,]+)",
    `CONFIG (?:GET|SET)${WORD}{1,2}|CONFIG RESETSTAT`,
    "CLUSTER (?:INFO|NODES|SLOTS)|COMMAND(?: COUNT)?|SLOWLOG GET(?: \\d+)?",
    "MONITOR|DBSIZE|FLUSHALL|FLUSHDB|BGSAVE|LASTSAVE",
  ].join("|") + ")$",
  "i",
);
/** The commands among these. */
export const INLINE_WORDS: readonly string[] = [
  ...["PING", "INFO", "AUTH", "GET", "KEYS", "DEL", "EXISTS", "SET", "SELECT", "MONITOR", "DBSIZE"],
  ...["HELLO", "PUBLISH", "INCR", "DECR", "TTL", "PTTL", "HGETALL", "HKEYS", "SMEMBERS", "SCARD"],
  ...["LLEN", "ZCARD", "HGET", "EXPIRE", "SISMEMBER", "LPUSH", "RPUSH", "SADD", "HSET", "ZADD"],
  ...["LRANGE", "ZRANGE", "CLIENT", "CONFIG", "CLUSTER", "COMMAND", "SLOWLOG", "FLUSHALL"],
  ...["FLUSHDB", "BGSAVE", "LASTSAVE"],
];
/** A line that has not ended. */
const INLINE_REST = /^(?:[A-Z]{1,10}(?: [^,]*)?)?$/i;
const INLINE_BYTES = 512;
const HEADER_BYTES_MAX = 64;
/** Errors are sentences. */
const ERROR_BYTES_MAX = 512;
const LF = 0x0a, CR = 0x0d, DOLLAR = 0x24;

export function probeRedis(bytes: Uint8Array, length: number): Claim {
  const bytesMax = bytes[0] === 0x2d ? ERROR_BYTES_MAX : HEADER_BYTES_MAX;
  const end = lineEnd(bytes, 0, bytesMax);
  const whole = end >= 0;
  const stop = whole ? end : Math.min(bytes.length, bytesMax);
  const cut: Claim = length === bytes.length && bytes.length < bytesMax ? MAYBE : NO;
  switch (bytes[0]) {
    case 0x2a: // *
      if (!isCount(bytes, stop, 7) && !isMinusOne(bytes, stop)) return NO;
      return whole ? probeArray(bytes, length, stop + 2) : cut;
    case DOLLAR:
    case 0x3d: // =
    case 0x21: // !
      if (!isCount(bytes, stop, 10) && !isMinusOne(bytes, stop)) return NO;
      return whole ? probeBulk(bytes, stop) : cut;
    case 0x25: // %
    case 0x7e: // ~
    case 0x3e: // >
    case 0x7c: // |
      if (!whole) return cut;
      return stop > 1 && isCount(bytes, stop, 7) ? WEAK_REPLY : NO;
    case 0x3a: // :
    case 0x28: // (
      return matches(/^.[+-]?\d{1,400}$/, bytes, stop, whole, cut);
    case 0x5f: // _
      return matches(/^_$/, bytes, stop, whole, cut);
    case 0x23: // #
      return matches(/^#[tf]$/, bytes, stop, whole, cut);
    case 0x2c: // ,
      return matches(/^,([+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|inf)|nan)$/, bytes, stop, whole, cut);
    case 0x2b: // +
    case 0x2d: // -
      return probeLine(bytes, stop, whole, cut);
    default:
      return whole && INLINE_LINE.test(latin1Of(bytes, 0, stop)) ? probeInline(bytes) : NO;
  }
}

/** Simple strings and errors: any text, some more telling than others. */
function probeLine(bytes: Uint8Array, stop: number, whole: boolean, cut: Claim): Claim {
  for (let i = 1; i < stop; i++) {
    const c = bytes[i] as number;
    if (c < 0x20 || c > 0x7e) return NO;
  }
  if (!whole) return cut;
  const line = latin1Of(bytes, 0, stop);
  if (TELLING_ERROR.test(line)) return REPLY;
  // Mail servers say so as well, and claim as much: what follows tells.
  if (line === "+OK" || line.startsWith("-ERR ")) return line[5] === "'" ? NO : WEAK_REPLY;
  if (TELLING_LINE.test(line)) return REPLY;
  return PLAUSIBLE_LINE.test(line) ? WEAK_REPLY : NO;
}

const TELLING_ERROR =
  /^-ERR (?:unknown command ['`]|wrong number of arguments for '|value is not an integer or out)/;
const TELLING_LINE = /^(?:\+(?:PONG$|QUEUED$|FULLRESYNC |CONTINUE)|-[A-Z]{2,20} )/;
/** Names of types, reports of MONITOR and of background work, errors of scripts. */
const PLAUSIBLE_LINE = /^(?:\+(?:[A-Za-z]{2,20}$|\d+\.\d+ \[|Background )|-[A-Z]{2,20}$)/;

/**
 * The first line is a command; so are all that can be seen as a whole: "get …" also begins
 * sentences.
 */
function probeInline(bytes: Uint8Array): Claim {
  const lines = latin1Of(bytes, 0, INLINE_BYTES).split("\r\n");
  const rest = lines.pop() ?? "";
  if (!lines.every((line, i) => i === 0 || INLINE_LINE.test(line))) return NO;
  if (!isRest(rest)) return NO;
  return lines.length === 1 && /^PING$/i.test(lines[0] ?? "") ? PING : INLINE;
}

/** A line that has not ended, of a command that is believed in. */
function isRest(rest: string): boolean {
  const [word = "", ...others] = rest.toUpperCase().split(" ");
  const whole = others.length > 0;
  return INLINE_REST.test(rest) &&
    INLINE_WORDS.some((each) => whole ? each === word : each.startsWith(word));
}

/**
 * After `*<n>`: commands consist of bulk strings, the first of which names one, in capitals one
 * that is not known, too; replies of anything, and of bulk strings as well.
 */
function probeArray(bytes: Uint8Array, length: number, at: number): Claim {
  if (bytes.length <= at) return length > bytes.length || bytes.length < at ? WEAK_REPLY : REPLY;
  const end = lineEnd(bytes, at, at + BULK_HEADER_BYTES);
  if (bytes[at] === DOLLAR && end > at + 1 && areDigits(bytes, at + 1, end)) {
    const nameEnd = endOfName(bytes, end + 2);
    if (nameEnd < 0) return WEAK_REPLY;
    const name = latin1Of(bytes, end + 2, nameEnd);
    const named = nameEnd >= bytes.length || /^[A-Z]+$/.test(name) ||
      isCommandName(name.toUpperCase());
    return named && !holdsOther(bytes, nameEnd + 2) ? COMMAND : REPLY;
  }
  return "+-:$*_#,(!=%~>|".includes(String.fromCharCode(bytes[at] as number)) ? WEAK_REPLY : NO;
}

/** Where a letter and what is in names behind it end; -1 where there is something else. */
function endOfName(bytes: Uint8Array, start: number): number {
  const end = Math.min(bytes.length, start + NAME_BYTES);
  if (start >= end || !isLetter(bytes[start] as number)) return -1;
  for (let i = start + 1; i < end; i++) {
    const c = bytes[i] as number;
    if (c === CR) return i;
    if (!isLetter(c) && !isDigit(c) && c !== 0x2d && c !== 0x2e && c !== 0x5f) return -1;
  }
  return end === bytes.length ? end : -1;
}

/** Behind the name and another bulk string comes an element that no command has. */
function holdsOther(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== DOLLAR) return at < bytes.length && bytes[at] !== 0x2a;
  const end = lineEnd(bytes, at, at + BULK_HEADER_BYTES);
  if (end < 0 || !areDigits(bytes, at + 1, end)) return false;
  const next = bytes[end + 4 + Number(latin1Of(bytes, at + 1, end))];
  return next !== undefined && next !== DOLLAR && next !== 0x2a;
}

/** `$`, nine digits, CRLF */
const BULK_HEADER_BYTES = 12;
/** Of a name looked at. */
const NAME_BYTES = 24;

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isLetter = (c: number): boolean => (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;

/** A bulk string must end with CRLF, where that can be seen; `stop` is where its header ends. */
function probeBulk(bytes: Uint8Array, stop: number): Claim {
  if (stop === 1) return NO;
  if (bytes[0] === DOLLAR && isMinusOne(bytes, stop)) return REPLY;
  const end = stop + 2 + Number(latin1Of(bytes, 1, stop));
  if (end + 1 >= bytes.length) return WEAK_REPLY;
  return bytes[end] === CR && bytes[end + 1] === LF ? REPLY : NO;
}

function matches(
  pattern: RegExp,
  bytes: Uint8Array,
  stop: number,
  whole: boolean,
  cut: Claim,
): Claim {
  if (!whole) return cut;
  return pattern.test(latin1Of(bytes, 0, stop)) ? WEAK_REPLY : NO;
}

/** Where the CRLF of the line at `start` begins; -1 when there is none before `max`. */
function lineEnd(bytes: Uint8Array, start: number, max: number): number {
  const end = Math.min(bytes.length, max);
  for (let i = start + 1; i < end; i++) {
    if (bytes[i] === LF) return bytes[i - 1] === CR ? i - 1 : -1;
  }
  return -1;
}

/** Up to `digitsMax` digits behind the type byte, none at all as well. */
const isCount = (bytes: Uint8Array, stop: number, digitsMax: number): boolean =>
  stop <= 1 + digitsMax && areDigits(bytes, 1, stop);

function areDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!isDigit(bytes[i] as number)) return false;
  return true;
}

/** What stands for null. */
const isMinusOne = (bytes: Uint8Array, stop: number): boolean =>
  stop === 3 && bytes[1] === 0x2d && bytes[2] === 0x31;
