// SPDX-License-Identifier: Apache-2.0
// NTP 1 to 4.
//
//   leap 2 bits, version 3 bits, mode 3 bits | stratum u8 | poll i8 | precision i8 | root delay u32
//   | root dispersion u32 | reference, 4 bytes | reference time u64 | origin u64 | received u64
//   | sent u64
//
// A server (mode 4) repeats the time at which the client (mode 3) sent as the origin; so do peers
// (modes 1 and 2).
//
//   control (mode 6): response, error, more 3 bits, operation 5 bits | sequence u16 | …
//   private (mode 7): … | implementation u8 | request u8 | error 4 bits, …

import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";

const PACKET_BYTES = 48;
const MODES = ["", "ACTIVE", "PASSIVE", "CLIENT", "SERVER", "BROADCAST", "CONTROL", "PRIVATE"];
const ACTIVE = 1, CLIENT = 3, SERVER = 4, BROADCAST = 5, CONTROL = 6;
const MANAGEMENT_BYTES = 8;

const FIELDS = {
  mode: { type: "string", doc: "mode of the sender" },
  version: { type: "number", otel: "network.protocol.version", doc: "version" },
  stratum: { type: "number", doc: "steps to a reference clock; 0 in a refusal, 16 not in time" },
  reference: { type: "string", doc: "reference clock, or code of a refusal, as RATE or DENY" },
  leap: { type: "number", doc: "leap second: 1 added, 2 left out, 3 clock not in time" },
} as const;

export const ntp = defineProtocol({
  name: "ntp",
  spec: "https://www.rfc-editor.org/rfc/rfc5905",
  transports: ["udp"],
  fields: FIELDS,
  timeoutNs: 10_000_000_000n,
  pairing: "id",
  capture: "prefix",
  // Versions 1 to 4 of every mode, clocks in time or not; a leap second is rare.
  starts: byteSet(
    [0x09, 0x0f],
    [0x11, 0x17],
    [0x19, 0x1f],
    [0x21, 0x27],
    0x5c,
    0x64,
    0x87,
    0x8f,
    0x97,
    0x9c,
    0x9f,
    0xa4,
    [0xc9, 0xcd],
    [0xd1, 0xd5],
    [0xd7, 0xdf],
    [0xe1, 0xe7],
  ),
  probe,
  open: () => null,

  read(cursor, _way, make) {
    // Datagrams of a socket that is claimed may be anyone's.
    const bytes = cursor.buffer.subarray(cursor.at, cursor.end);
    if (probe(bytes, cursor.remaining).kind === "no") throw new Malformed("not a packet");
    const first = cursor.u8();
    const version = first >> 3 & 7;
    const mode = first & 7;
    if (version === 0 || version > 4 || mode === 0) throw new Malformed("no such mode");
    if (mode >= CONTROL) return readManagement(cursor, first, make);
    const stratum = cursor.u8();
    cursor.skip(10);
    const code = cursor.latin1(4).replace(/\0+$/, "");
    cursor.skip(8);
    const origin = cursor.u64();
    cursor.skip(8);
    const sent = cursor.u64();
    cursor.skip(cursor.remaining);
    const reference = stratum <= 1 && /^[A-Z]{1,4}$/.test(code) ? code : "";
    const name = MODES[mode] ?? "";
    const fields = {
      mode: name,
      version,
      stratum,
      ...(reference !== "" && { reference }),
      leap: first >> 6,
    };
    if (mode === CLIENT || mode === ACTIVE) {
      return make.request({ type: name, endpoint: name, id: sent, fields });
    }
    if (mode === BROADCAST) return make.oneway({ type: name, endpoint: name, fields });
    const refused = stratum === 0;
    const late = first >> 6 === 3 || stratum >= 16;
    return make.response({
      type: name,
      id: origin,
      status: refused ? "client_error" : late ? "server_error" : "ok",
      fields,
    });
  },
});

/** What asks a server about itself, and tells it what to do. */
function readManagement(cursor: Cursor, first: number, make: Make<typeof FIELDS>): Step {
  const mode = first & 7, version = first >> 3 & 7;
  const type = MODES[mode] ?? "";
  let answers = (first & 0x80) !== 0, failed = false, id = 0;
  if (mode === CONTROL) {
    const operation = cursor.u8();
    answers = (operation & 0x80) !== 0;
    failed = (operation & 0x40) !== 0;
    id = cursor.u16();
  } else {
    cursor.skip(2);
    id = cursor.u8();
    failed = cursor.u8() >> 4 !== 0;
  }
  cursor.skip(cursor.remaining);
  const draft = { type, endpoint: type, id, fields: { mode: type, version } };
  if (!answers) return make.request(draft);
  return make.response({ ...draft, status: failed ? "client_error" : "ok" });
}

const NO: Claim = { kind: "no" };

/** The size, and numbers in the ranges that clocks have. */
function probe(bytes: Uint8Array, length: number): Claim {
  const [first = 0, stratum = 0, poll = 0, precision = 0] = bytes;
  const mode = first & 7;
  if (mode >= CONTROL) return probeManagement(bytes, length);
  if (bytes.length < PACKET_BYTES || !isWhole(bytes, length)) return NO;
  const asks = mode === CLIENT;
  if (stratum > 16 || poll > (asks ? POLL_MAX : 17)) return NO;
  // Who knows no precision asks: the fields between are those of a clock, and empty as well.
  const vague = precision <= POLL_MAX;
  if (vague ? !asks : precision < 0xd0) return NO;
  if (vague && bytes.subarray(4, 40).some((byte) => byte !== 0)) return NO;
  const sent = (bytes[40] ?? 0) | (bytes[41] ?? 0) | (bytes[42] ?? 0) | (bytes[43] ?? 0);
  // The simplest clients send nothing but their mode.
  if (sent === 0) {
    const bare = asks && length === PACKET_BYTES && stratum + poll + precision === 0;
    return bare && bytes.subarray(40, 48).every((byte) => byte === 0) ? ASKS : NO;
  }
  if (asks) return ASKS;
  // Who answers knows the time: since 1993, or the next era.
  const known = (bytes[40] ?? 0) >= 0xb0 || (bytes[40] ?? 0) < 0x40;
  // Peers (modes 1 and 2) know it once they have heard of each other.
  if (!known && (mode === SERVER || mode === BROADCAST)) return NO;
  if (mode === ACTIVE) return { kind: "request", score: 75 };
  return { kind: mode === BROADCAST ? "either" : "response", score: 85 };
}

const ASKS: Claim = { kind: "request", score: 80 };
/** Some clients put noise where clocks have their intervals. */
const POLL_MAX = 32;

/** 48 bytes; then fields with a length, and 4 (a refusal), 20 or 24 bytes that prove the sender. */
function isWhole(bytes: Uint8Array, length: number): boolean {
  const rest = length - PACKET_BYTES;
  if (rest === 0 || rest === 4 || rest === 20 || rest === 24) return true;
  const field = (bytes[50] ?? 0) << 8 | (bytes[51] ?? 0);
  return rest >= 16 && rest % 4 === 0 && field >= 16 && field % 4 === 0 && field <= rest;
}

/** Control messages tell the size of what they carry, private ones number and size of items. */
function probeManagement(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < MANAGEMENT_BYTES) return NO;
  const first = bytes[0] ?? 0;
  if ((first & 7) === CONTROL) {
    if ((first & 0xc0) !== 0 || length < 12 || bytes.length < 12) return NO;
    const told = 12 + ((bytes[10] ?? 0) << 8 | (bytes[11] ?? 0));
    const fits = told <= length && length <= told + 3 + 24;
    const operation = (bytes[1] ?? 0) & 31;
    const sequence = (bytes[2] ?? 0) | (bytes[3] ?? 0);
    if (!fits || operation === 0 || operation > 12 || sequence === 0) return NO;
    return { kind: ((bytes[1] ?? 0) & 0x80) !== 0 ? "response" : "request", score: 70 };
  }
  const implementation = bytes[2] ?? 0;
  const count = ((bytes[4] ?? 0) << 8 | (bytes[5] ?? 0)) & 0xfff;
  const size = ((bytes[6] ?? 0) << 8 | (bytes[7] ?? 0)) & 0xfff;
  const known = implementation === 2 || implementation === 3;
  if (!known || (bytes[3] ?? 0) > 46) return NO;
  const answers = (first & 0x80) !== 0;
  // What asks is filled up with zeros; answers are as long as they say.
  const fits = answers
    ? 8 + count * size === length
    : count === 0 && bytes.subarray(8).every((byte) => byte === 0);
  if (!fits) return NO;
  return { kind: answers ? "response" : "request", score: 65 };
}
