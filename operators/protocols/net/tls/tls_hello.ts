// SPDX-License-Identifier: Apache-2.0
// The two hello messages of TLS and DTLS, and the dates of a certificate.

import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { latin1Of } from "../../../wire/text.ts";
import { CIPHERS } from "./tls_ciphers.ts";

/** Versions by number; SSL 3.0 is read so that it can be named. */
const VERSIONS: Readonly<Record<number, string>> = {
  0x0300: "SSL3.0",
  0x0301: "1.0",
  0x0302: "1.1",
  0x0303: "1.2",
  0x0304: "1.3",
  0xfeff: "DTLS1.0",
  0xfefd: "DTLS1.2",
  0xfefc: "DTLS1.3",
};

export interface Hello {
  /** Highest version offered, or the version chosen. */
  readonly version: string;
  readonly serverName: string;
  /** First protocol offered by ALPN, or the one chosen. */
  readonly nextProtocol: string;
  /** Chosen suite; "" in a client's hello. */
  readonly cipher: string;
}

const hex = (n: number) => `0x${n.toString(16).padStart(4, "0")}`;

/** Moves past a vector with a length of `bytes` bytes. */
function skipVector(cursor: Cursor, bytes: 1 | 2): void {
  cursor.skip(bytes === 1 ? cursor.u8() : cursor.u16());
}

/**
 * version u16 | random 32 | session id <1> | suites <2> | compressions <1> | extensions <2>; the
 * server's has one suite and one compression, the client's of DTLS a cookie <1> before the suites.
 * `end` is the position behind the message.
 */
export function readHello(
  cursor: Cursor,
  from: "client" | "server",
  end: number,
  cookie = false,
): Hello {
  let version = cursor.u16();
  cursor.skip(32);
  skipVector(cursor, 1);
  let cipher = "";
  if (from === "client") {
    if (cookie) skipVector(cursor, 1);
    skipVector(cursor, 2);
    skipVector(cursor, 1);
  } else {
    const suite = cursor.u16();
    cipher = CIPHERS[suite] ?? hex(suite);
    cursor.skip(1);
  }
  let serverName = "";
  let nextProtocol = "";
  if (cursor.position + 2 <= end) cursor.skip(2);
  while (cursor.position + 4 <= end) {
    const type = cursor.u16();
    const next = cursor.u16() + cursor.position;
    if (next > end) throw new Malformed("extension past its message");
    if (cursor.captured < next - cursor.position) break;
    if (type === 0 && from === "client") serverName = readServerName(cursor, next);
    else if (type === 16) nextProtocol = readAlpn(cursor, next);
    else if (type === 43) version = readVersions(cursor, from, next) ?? version;
    cursor.rewind(next);
  }
  return { version: VERSIONS[version] ?? hex(version), serverName, nextProtocol, cipher };
}

/** list <2> of: type u8 (0 = host) | name <2> */
function readServerName(cursor: Cursor, end: number): string {
  if (cursor.position + 5 > end) return "";
  cursor.skip(2);
  const type = cursor.u8();
  const bytes = cursor.u16();
  if (type !== 0 || cursor.position + bytes > end) return "";
  const name = cursor.latin1(bytes);
  return /^[\x21-\x7e]{1,255}$/.test(name) ? name : "";
}

function readAlpn(cursor: Cursor, end: number): string {
  if (cursor.position + 3 > end) return "";
  cursor.skip(2);
  const bytes = cursor.u8();
  return cursor.position + bytes > end ? "" : cursor.latin1(bytes).replace(/[^\x20-\x7e]/g, "?");
}

/** A client lists versions (GREASE values among them), a server names one. */
function readVersions(cursor: Cursor, from: "client" | "server", end: number): number | null {
  if (from === "server") return cursor.position + 2 <= end ? cursor.u16() : null;
  let best: number | null = null;
  cursor.skip(1);
  while (cursor.position + 2 <= end) {
    const version = cursor.u16();
    if (VERSIONS[version] === undefined) continue;
    // The numbers of DTLS go down as its versions go up.
    if (best === null || (version > 0xfe00 ? version < best : version > best)) best = version;
  }
  return best;
}

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/**
 * When the first certificate of a Certificate message expires, as RFC 3339, or "". Its validity is
 * the first place where two ASN.1 times stand in a row; nothing else of it is read.
 */
export function certificateExpiry(bytes: Uint8Array): string {
  for (let at = 0; at + 4 < bytes.length; at++) {
    const first = bytes[at];
    if (first !== UTC_TIME && first !== GENERALIZED_TIME) continue;
    const length = bytes[at + 1] ?? 0;
    if (length < 11 || length > 19) continue;
    const second = at + 2 + length;
    const type = bytes[second];
    if (type !== UTC_TIME && type !== GENERALIZED_TIME) continue;
    const start = second + 2;
    const text = latin1Of(bytes, start, start + (bytes[second + 1] ?? 0));
    const time = formatTime(text, type === UTC_TIME);
    if (time !== "") return time;
  }
  return "";
}

/** `YYMMDDhhmmssZ` (years from 1950) or `YYYYMMDDhhmmssZ`. */
function formatTime(text: string, short: boolean): string {
  const found = /^(\d{2})?(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (found === null || (found[1] === undefined) !== short) return "";
  const [, century, year, month, day, hour, minute, second] = found;
  const full = century ?? (Number(year) >= 50 ? "19" : "20");
  return `${full}${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
