// SPDX-License-Identifier: Apache-2.0
// DHCP for IPv4.
//
//   op u8 (1 request, 2 reply) | hardware u8, bytes u8 | hops u8 | transaction u32 | seconds u16
//   | flags u16 | client, your, server, relay: 4 bytes each | hardware address, 16 | name, 64
//   | file, 128 | 63 82 53 63 | (option u8 | bytes u8 | value) … | ff

import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol } from "../../wire/protocol.ts";

const COOKIE = 0x63825363;
const COOKIE_AT = 236;
const OPTIONS_MAX = 128;
const TYPES = [
  ...["BOOTP", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"],
  ...["FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED", "LEASEUNKNOWN", "LEASEACTIVE"],
];
const DISCOVER = 1, OFFER = 2, DECLINE = 4, NAK = 6, RELEASE = 7;

const FIELDS = {
  message_type: { type: "string", doc: "type of the message" },
  transaction_id: { type: "number", doc: "transaction" },
  hardware_address: { type: "string", otel: "client.address", doc: "address of the client's link" },
  address: { type: "string", doc: "address that is given or asked for" },
  server: { type: "string", otel: "server.address", doc: "server that is meant" },
  host_name: { type: "string", otel: "host.name", doc: "name of the client" },
  lease_seconds: { type: "number", doc: "time of the lease" },
  error_message: { type: "string", doc: "text of a refusal" },
} as const;

export const dhcp = defineProtocol({
  name: "dhcp",
  spec: "https://www.rfc-editor.org/rfc/rfc2131",
  transports: ["udp"],
  fields: FIELDS,
  timeoutNs: 30_000_000_000n,
  pairing: "id",
  capture: "prefix",
  starts: byteSet(1, 2),
  probe,
  open: () => null,

  read(cursor, _way, make) {
    const op = cursor.u8();
    cursor.skip(1);
    const hardwareBytes = cursor.u8();
    cursor.skip(1);
    const transaction = cursor.u32();
    cursor.skip(8);
    const given = address(cursor);
    cursor.skip(8);
    const hardware = hexOf(cursor.bytes(16).subarray(0, Math.min(16, hardwareBytes)));
    cursor.skip(192);
    if (cursor.u32() !== COOKIE || op < 1 || op > 2) throw new Malformed("not DHCP");
    const options = readOptions(cursor);
    cursor.skip(cursor.remaining);
    const name = TYPES[options.type] ?? String(options.type);
    const wanted = given === "0.0.0.0" ? options.wanted : given;
    const draft = {
      type: name,
      resource: wanted,
      endpoint: name,
      // An offer answers a discovery; within the same transaction, the request comes later.
      id: `${transaction} ${
        options.type === DISCOVER || options.type === OFFER ? "offer" : "lease"
      }`,
      fields: {
        message_type: name,
        transaction_id: transaction,
        hardware_address: hardware,
        ...(wanted !== "" && { address: wanted }),
        ...(options.server !== "" && { server: options.server }),
        ...(options.host !== "" && { host_name: options.host }),
        ...(options.lease > 0 && { lease_seconds: options.lease }),
        ...(options.message !== "" && { error_message: options.message }),
      },
    };
    if (options.type === RELEASE || options.type === DECLINE) return make.oneway(draft);
    if (op === 1) return make.request(draft);
    return make.response({ ...draft, status: options.type === NAK ? "client_error" : "ok" });
  },
});

const address = (cursor: Cursor): string =>
  `${cursor.u8()}.${cursor.u8()}.${cursor.u8()}.${cursor.u8()}`;

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");

function readOptions(cursor: Cursor) {
  const found = { type: 0, wanted: "", server: "", host: "", lease: 0, message: "" };
  for (let count = 0; count < OPTIONS_MAX && cursor.remaining > 0; count++) {
    const option = cursor.u8();
    if (option === 255) break;
    if (option === 0) continue;
    const bytes = cursor.u8();
    if (option === 53 && bytes === 1) found.type = cursor.u8();
    else if (option === 50 && bytes === 4) found.wanted = address(cursor);
    else if (option === 54 && bytes === 4) found.server = address(cursor);
    else if (option === 51 && bytes === 4) found.lease = cursor.u32();
    else if (option === 12) found.host = cursor.text(bytes);
    else if (option === 56) found.message = cursor.text(bytes);
    else cursor.skip(bytes);
  }
  return found;
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array): Claim {
  if (bytes[COOKIE_AT] !== 0x63 || bytes[COOKIE_AT + 1] !== 0x82) return NO;
  if (bytes[COOKIE_AT + 2] !== 0x53 || bytes[COOKIE_AT + 3] !== 0x63) return NO;
  return { kind: bytes[0] === 1 ? "request" : "response", score: 100 };
}
