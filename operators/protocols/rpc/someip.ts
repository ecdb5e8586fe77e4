// SPDX-License-Identifier: Apache-2.0
// SOME/IP, of vehicles.
//
//   service u16 | method u16 | bytes u32 (of what follows) | client u16 | session u16
//   | protocol version 1 | interface version u8 | type u8 | return code u8 | payload
//
// Client and session pair a response with its request. Types with bit 20 are segments (TP).

import type { Status } from "../../../model/status.ts";
import { anyByte } from "../../wire/byte_set.ts";
import { Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";

const HEADER_BYTES = 16;
const BYTES_MAX = 1 << 24;
const SEGMENT = 0x20;

const TYPES: Readonly<Record<number, string>> = {
  0x00: "REQUEST",
  0x01: "REQUEST_NO_RETURN",
  0x02: "NOTIFICATION",
  0x80: "RESPONSE",
  0x81: "ERROR",
};

const RETURN_CODES = [
  ...["E_OK", "E_NOT_OK", "E_UNKNOWN_SERVICE", "E_UNKNOWN_METHOD", "E_NOT_READY"],
  ...["E_NOT_REACHABLE", "E_TIMEOUT", "E_WRONG_PROTOCOL_VERSION", "E_WRONG_INTERFACE_VERSION"],
  ...["E_MALFORMED_MESSAGE", "E_WRONG_MESSAGE_TYPE", "E_E2E_REPEATED", "E_E2E_WRONG_SEQUENCE"],
  ...["E_E2E", "E_E2E_NOT_AVAILABLE", "E_E2E_NO_NEW_DATA"],
];

const FIELDS = {
  service_id: { type: "number", otel: "rpc.service", doc: "service" },
  method_id: { type: "number", otel: "rpc.method", doc: "method, or event from 8000 on" },
  client_id: { type: "number", doc: "client" },
  session_id: { type: "number", otel: "rpc.message.id", doc: "session" },
  interface_version: { type: "number", doc: "version of the interface" },
  return_code: { type: "string", doc: "return code by name" },
} as const;
type F = typeof FIELDS;

interface State {
  readonly tails: Tails;
  /** A datagram ends its messages; nothing of them comes later. */
  readonly datagrams: boolean;
}

export const someip = defineProtocol<F, State>({
  name: "someip",
  spec: "https://some-ip.com/standards.shtml",
  transports: ["udp", "tcp"],
  fields: FIELDS,
  timeoutNs: 30_000_000_000n,
  pairing: "id",
  capture: "prefix",
  starts: anyByte(),
  probe,
  open: (transport) => ({ tails: noTails(), datagrams: transport === "udp" }),

  read(cursor, way, make, { tails, datagrams }) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    const service = cursor.u16();
    const method = cursor.u16();
    const bytes = cursor.u32();
    const client = cursor.u16();
    const session = cursor.u16();
    const version = cursor.u8();
    const interfaceVersion = cursor.u8();
    const type = cursor.u8();
    const code = cursor.u8();
    if (version !== 1 || bytes < 8 || bytes > BYTES_MAX) throw new Malformed("not a message");
    const segmented = (type & SEGMENT) !== 0 && bytes >= 12;
    const rest = bytes - (segmented ? 12 : 8);
    // The first segment is the message; others only carry on what it began.
    if (segmented && cursor.u32() >>> 4 > 0) {
      cursor.skip(datagrams ? rest : 0);
      return datagrams || rest === 0 ? { kind: "nothing" } : { kind: "skip", bytes: rest };
    }
    const message = { service, method, client, session, interfaceVersion, type, code };
    if (datagrams) cursor.skip(rest);
    const more = rest > 0 && !datagrams;
    const step = tell(message, more, make);
    if (more) keepTail(tails, way, step, rest);
    return step;
  },

  lost(state, way) {
    dropTail(state.tails, way);
  },
});

interface Head {
  readonly service: number;
  readonly method: number;
  readonly client: number;
  readonly session: number;
  readonly interfaceVersion: number;
  readonly type: number;
  readonly code: number;
}

function tell(head: Head, more: boolean, make: Make<F>): Step {
  const { service, method, client, session, code } = head;
  const type = TYPES[head.type & ~SEGMENT];
  if (type === undefined) throw new Malformed("no such type");
  const fields = {
    service_id: service,
    method_id: method,
    client_id: client,
    session_id: session,
    interface_version: head.interfaceVersion,
  };
  const draft = {
    type,
    resource: String(service),
    endpoint: String(method),
    id: `${client} ${session}`,
    more,
    fields,
  };
  if (type === "REQUEST") return make.request(draft);
  if (type !== "RESPONSE" && type !== "ERROR") return make.oneway(draft);
  return make.response({
    ...draft,
    code,
    status: statusOf(code, type),
    fields: { ...fields, return_code: RETURN_CODES[code] ?? String(code) },
  });
}

/** Wrong services, methods, versions and messages are the client's. */
function statusOf(code: number, type: string): Status {
  if (code === 0) return type === "ERROR" ? "server_error" : "ok";
  return code === 2 || code === 3 || (code >= 7 && code <= 10) ? "client_error" : "server_error";
}

const NO: Claim = { kind: "no" };

/** The lengths lead from message to message up to the last byte. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes[12] !== 1 || length < HEADER_BYTES || bytes.length < HEADER_BYTES) return NO;
  const type = TYPES[(bytes[14] ?? 3) & ~SEGMENT];
  const code = bytes[15] ?? 255;
  if (type === undefined || code > 0x5e || (code !== 0 && !isAnswer(type))) return NO;
  let at = 0;
  let messages = 0;
  while (at + HEADER_BYTES <= bytes.length && messages < 8) {
    if (bytes[at + 12] !== 1 || bytes[at + 4] !== 0) return NO;
    const rest = (bytes[at + 5] ?? 0) << 16 | (bytes[at + 6] ?? 0) << 8 | (bytes[at + 7] ?? 0);
    if (rest < 8) return NO;
    at += 8 + rest;
    messages++;
  }
  if (at !== length && messages < 8) return NO;
  if (type === "NOTIFICATION" || type === "REQUEST_NO_RETURN") return { kind: "either", score: 80 };
  return { kind: isAnswer(type) ? "response" : "request", score: 85 };
}

const isAnswer = (type: string): boolean => type === "RESPONSE" || type === "ERROR";
