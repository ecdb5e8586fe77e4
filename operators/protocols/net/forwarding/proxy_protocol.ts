// SPDX-License-Identifier: Apache-2.0
// The PROXY protocol: load balancers put the client's address in front of what they pass on.
//
//   1: PROXY TCP4 source destination port port CRLF
//   2: 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a | version, command u8 | family u8 | bytes u16, as many
//
// It makes no message: whoever is asked who speaks behind it tells more.

import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { type Claim, defineProtocol } from "../../../wire/protocol.ts";
import { latin1Of } from "../../../wire/text.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const LINE_BYTES_MAX = 108;
const BYTES_MAX = 4_096;

interface State {
  passed: boolean;
}

export const proxyProtocol = defineProtocol<Record<never, never>, State>({
  name: "proxy_protocol",
  spec: "https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt",
  transports: ["tcp", "unix"],
  fields: {},
  timeoutNs: 60_000_000_000n,
  pairing: "order",
  capture: "prefix",
  starts: byteSet("P\r"),
  words: ["PROXY "],
  probe,
  open: () => ({ passed: false }),

  read(cursor, way, _make, state) {
    // A server that speaks first does so once it has read this.
    if (state.passed || way === "toClient") return { kind: "switch", to: "" };
    if (cursor.peek() === 0x50) readText(cursor);
    else readBinary(cursor);
    state.passed = true;
    return { kind: "nothing" };
  },
});

function readText(cursor: Cursor): void {
  if (!LINE.test(cursor.line(LINE_BYTES_MAX))) throw new Malformed("no header");
}

const LINE = /^PROXY (?:TCP[46] [\da-fA-F.:]+ [\da-fA-F.:]+ \d+ \d+|UNKNOWN[ -~]*)$/;

function readBinary(cursor: Cursor): void {
  if (cursor.latin1(SIGNATURE.length) !== SIGNATURE) throw new Malformed("no header");
  cursor.skip(2);
  const bytes = cursor.u16();
  if (bytes > BYTES_MAX) throw new Malformed("header too long");
  cursor.skip(bytes);
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  const text = latin1Of(bytes, 0, 16);
  if (bytes[0] === 0x50) {
    if (/^PROXY (?:TCP[46]|UNKNOWN)\b/.test(text)) return { kind: "request", score: 100 };
    return "PROXY ".startsWith(text) && length < 6 ? { kind: "maybe" } : NO;
  }
  if (text.startsWith(SIGNATURE)) return { kind: "request", score: 100 };
  return SIGNATURE.startsWith(text) && length < SIGNATURE.length ? { kind: "maybe" } : NO;
}
