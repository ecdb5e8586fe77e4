// SPDX-License-Identifier: Apache-2.0
// NTP 1 to 4.
//
//   leap 2 bits, version 3 bits, mode 3 bits | stratum u8 | poll i8 | precision i8 | root delay u32
//   | root dispersion u32 | reference, 4 bytes | reference time u64 | origin u64 | received u64
//   | sent u64
//
// A server (mode 4) repeats the time at which the client (mode 3) sent as the origin.

import { Malformed } from "../../wire/cursor.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Claim, defineProtocol } from "../../wire/protocol.ts";

const PACKET_BYTES = 48;
const MODES = ["", "ACTIVE", "PASSIVE", "CLIENT", "SERVER", "BROADCAST", "CONTROL", "PRIVATE"];
const CLIENT = 3, SERVER = 4, BROADCAST = 5;

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
  starts: byteSet(0x1b, 0x1c, 0x23, 0x24, 0x25, 0xdb, 0xdc, 0xe3, 0xe4, 0x5c, 0x64),
  probe,
  open: () => null,

  read(cursor, _way, make) {
    const first = cursor.u8();
    const version = first >> 3 & 7;
    const mode = first & 7;
    if (version === 0 || version > 4 || mode < CLIENT || mode > BROADCAST) {
      throw new Malformed("no such mode");
    }
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
    if (mode === CLIENT) return make.request({ type: name, endpoint: name, id: sent, fields });
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

const NO: Claim = { kind: "no" };

/** The size, and numbers in the ranges that clocks have. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < PACKET_BYTES || (length !== 48 && length !== 68 && length !== 72)) return NO;
  const [first = 0, stratum = 0, poll = 0, precision = 0] = bytes;
  if (stratum > 16 || poll > 17 || (precision > 0 && precision < 0xd0)) return NO;
  const mode = first & 7;
  const sent = (bytes[40] ?? 0) | (bytes[41] ?? 0) | (bytes[42] ?? 0) | (bytes[43] ?? 0);
  if (sent === 0) return NO;
  // Who knows no precision asks: the fields between are those of a clock, and empty as well.
  if (precision === 0 && (mode !== CLIENT || bytes.subarray(4, 40).some((byte) => byte !== 0))) {
    return NO;
  }
  if (mode === CLIENT) return { kind: "request", score: 80 };
  // Who answers knows the time: this century, or the next era.
  return (bytes[40] ?? 0) >= 0xd0 || (bytes[40] ?? 0) < 0x40
    ? { kind: mode === SERVER ? "response" : "either", score: 85 }
    : NO;
}
