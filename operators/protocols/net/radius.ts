// SPDX-License-Identifier: Apache-2.0
// RADIUS.
//
//   code u8 | id u8 | bytes u16 | authenticator, 16 bytes | attributes
//   attribute: type u8 | bytes u8, these two included | value
//
// Passwords, and whatever else authenticates, are not read.

import type { Status } from "../../../model/status.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol } from "../../wire/protocol.ts";

const HEADER_BYTES = 20;
const BYTES_MAX = 4_096;

const CODES: Readonly<Record<number, string>> = {
  1: "ACCESS_REQUEST",
  2: "ACCESS_ACCEPT",
  3: "ACCESS_REJECT",
  4: "ACCOUNTING_REQUEST",
  5: "ACCOUNTING_RESPONSE",
  11: "ACCESS_CHALLENGE",
  12: "STATUS_SERVER",
  13: "STATUS_CLIENT",
  40: "DISCONNECT_REQUEST",
  41: "DISCONNECT_ACK",
  42: "DISCONNECT_NAK",
  43: "COA_REQUEST",
  44: "COA_ACK",
  45: "COA_NAK",
};
const REQUESTS = new Set([1, 4, 12, 13, 40, 43]);
const REFUSALS = new Set([3, 42, 45]);
const ACCOUNTING: Readonly<Record<number, string>> = {
  1: "start",
  2: "stop",
  3: "interim",
  7: "on",
  8: "off",
};

const FIELDS = {
  code: { type: "string", doc: "code of the packet" },
  packet_id: { type: "number", doc: "id of the packet" },
  user: { type: "string", otel: "user.name", doc: "user" },
  client_name: { type: "string", doc: "identifier of the client" },
  client_address: { type: "string", otel: "client.address", doc: "address of the client" },
  session: { type: "string", otel: "session.id", doc: "id of the accounting session" },
  accounting: { type: "string", doc: "start, stop or interim" },
  reply: { type: "string", doc: "text for the user" },
} as const;

export const radius = defineProtocol({
  name: "radius",
  spec: "https://www.rfc-editor.org/rfc/rfc2865",
  transports: ["udp"],
  fields: FIELDS,
  timeoutNs: 30_000_000_000n,
  pairing: "id",
  capture: "prefix",
  starts: byteSet([1, 5], [11, 13], [40, 45]),
  probe,
  open: () => null,

  read(cursor, _way, make) {
    const code = cursor.u8();
    const id = cursor.u8();
    const bytes = cursor.u16();
    const name = CODES[code];
    if (name === undefined || bytes < HEADER_BYTES || bytes > BYTES_MAX) {
      throw new Malformed("not a packet");
    }
    cursor.enter(bytes - 4);
    cursor.skip(16);
    const found = readAttributes(cursor);
    cursor.leave();
    cursor.skip(cursor.remaining);
    const draft = {
      type: name,
      resource: found.user ?? "",
      endpoint: name,
      id,
      fields: { code: name, packet_id: id, ...found },
    };
    if (REQUESTS.has(code)) return make.request(draft);
    const status: Status = REFUSALS.has(code) ? "client_error" : "ok";
    return make.response({ ...draft, code, status });
  },
});

interface Found {
  user?: string;
  client_name?: string;
  client_address?: string;
  session?: string;
  accounting?: string;
  reply?: string;
}

function readAttributes(cursor: Cursor): Found {
  const found: Found = {};
  while (cursor.captured > 0) {
    const type = cursor.u8();
    const bytes = cursor.u8() - 2;
    if (bytes < 0) throw new Malformed("no size of an attribute");
    if (type === 1) found.user = cursor.text(bytes);
    else if (type === 18) found.reply = cursor.text(bytes);
    else if (type === 32) found.client_name = cursor.text(bytes);
    else if (type === 44) found.session = cursor.text(bytes);
    else if (type === 4 && bytes === 4) found.client_address = [...cursor.bytes(4)].join(".");
    else if (type === 40 && bytes === 4) found.accounting = ACCOUNTING[cursor.u32()] ?? "other";
    else cursor.skip(bytes);
  }
  return found;
}

const NO: Claim = { kind: "no" };

/** The length is that of the datagram, and the attributes lead up to its end. */
function probe(bytes: Uint8Array, length: number): Claim {
  const code = bytes[0] ?? 0;
  const size = (bytes[2] ?? 0) << 8 | (bytes[3] ?? 0);
  if (CODES[code] === undefined || size !== length || size < HEADER_BYTES) return NO;
  let at = HEADER_BYTES;
  let attributes = 0;
  while (at < size && at + 1 < bytes.length) {
    const step = bytes[at + 1] ?? 0;
    if (step < 2 || bytes[at] === 0) return NO;
    at += step;
    attributes++;
  }
  if (at !== size && bytes.length === length) return NO;
  // A bare header is an answer at most.
  if (attributes === 0) return REQUESTS.has(code) ? NO : { kind: "response", score: 50 };
  return { kind: REQUESTS.has(code) ? "request" : "response", score: attributes > 1 ? 88 : 75 };
}
