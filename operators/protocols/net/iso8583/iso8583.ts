// SPDX-License-Identifier: Apache-2.0
// ISO 8583, of card payments, in its ASCII form.
//
//   frame  : bytes u16, or 4 digits | [header: 5 bytes (60 …), or 46 bytes (2e …)] | message
//   message: type, 4 digits | bitmap, 8 or 16 bytes, or twice as many digits | elements
//   type   : version | class (1 authorisation, 2 financial, 4 reversal, 8 network …)
//            | function (0 request, 1 response, 2 advice, 3 its response, 4 notice) | origin
//
// Trace number, time and terminal pair a response with its request. Card numbers, tracks and PINs
// are not read.

import type { Status } from "../../../../model/status.ts";
import { attempt } from "../../../wire/attempt.ts";
import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../../wire/protocol.ts";
import { readElements } from "./iso8583_fields.ts";
import { latin1Of } from "../../../wire/text.ts";

const MESSAGE_BYTES_MAX = 8_192;
const MESSAGE_BYTES_MIN = 16;
const TPDU_BYTES = 5, UNIONPAY_BYTES = 46;
const CLASSES = [
  ...["", "AUTHORISATION", "FINANCIAL", "FILE", "REVERSAL", "RECONCILIATION"],
  ...["ADMINISTRATION", "FEE", "NETWORK", ""],
];

const FIELDS = {
  message_type: { type: "string", doc: "type of the message: 4 digits" },
  processing_code: { type: "string", doc: "element 3: what is done with which accounts" },
  amount: { type: "string", doc: "element 4: amount of the transaction" },
  currency: { type: "string", doc: "element 49: currency" },
  trace_number: { type: "string", doc: "element 11: number that the sender gave" },
  reference: { type: "string", doc: "element 37: retrieval reference number" },
  response_code: { type: "string", doc: "element 39: 00 is approved" },
  terminal: { type: "string", doc: "element 41: terminal" },
  merchant: { type: "string", doc: "element 42: merchant" },
  network_code: { type: "string", doc: "element 70: what a network message is about" },
} as const;
type F = typeof FIELDS;

export const iso8583 = defineProtocol<F, null>({
  name: "iso8583",
  spec: "https://www.iso.org/standard/31628.html",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 0x20], 0x30),
  probe,
  open: () => null,

  read(cursor, _way, make) {
    const size = readSize(cursor);
    if (size < MESSAGE_BYTES_MIN || size > MESSAGE_BYTES_MAX) throw new Malformed("no size");
    cursor.enter(size);
    const first = cursor.peek();
    if (first === 0x60) cursor.skip(TPDU_BYTES);
    else if (first === UNIONPAY_BYTES) cursor.skip(UNIONPAY_BYTES);
    const type = cursor.latin1(4);
    if (!isType(type)) throw new Malformed("no type of a message");
    let elements: ReadonlyMap<number, string> = new Map();
    attempt(() => void (elements = readElements(cursor)));
    const step = tell(type, elements, make);
    cursor.leave();
    return step;
  },
});

/** Two bytes, or four digits. */
function readSize(cursor: Cursor): number {
  if (cursor.peek() !== 0x30) return cursor.u16();
  const text = cursor.latin1(4);
  if (!/^\d{4}$/.test(text)) throw new Malformed("no size");
  return Number(text);
}

const isType = (type: string): boolean => /^[012][1-8][0-49][0-5]$/.test(type);

const NAMES = {
  3: "processing_code",
  4: "amount",
  49: "currency",
  11: "trace_number",
  37: "reference",
  39: "response_code",
  41: "terminal",
  42: "merchant",
  70: "network_code",
} as const;

function tell(type: string, elements: ReadonlyMap<number, string>, make: Make<F>): Step {
  const get = (element: number): string => elements.get(element) ?? "";
  const fields: { -readonly [N in (typeof NAMES)[keyof typeof NAMES]]?: string } = {};
  for (const [element, name] of Object.entries(NAMES)) {
    const value = get(Number(element));
    if (value !== "") fields[name] = value;
  }
  const name = CLASSES[Number(type[1])] ?? "";
  const draft = {
    type,
    resource: get(3),
    domain: get(42),
    endpoint: name,
    id: `${type.slice(0, 2)} ${get(11)} ${get(7)} ${get(41)}`,
    fields: { message_type: type, ...fields },
  };
  const role = type[2];
  if (role === "0" || role === "2") return make.request(draft);
  if (role === "4" || role === "9") return make.oneway(draft);
  const code = get(39);
  return make.response({
    ...draft,
    ...(/^\d\d$/.test(code) && { code: Number(code) }),
    status: statusOf(code),
  });
}

/** 91 issuer away, 96 malfunction, 68 late, 92 no route: not the fault of who asks. */
function statusOf(code: string): Status {
  if (code === "" || code === "00" || code === "10" || code === "11") return "ok";
  return code === "91" || code === "96" || code === "68" || code === "92"
    ? "server_error"
    : "client_error";
}

const NO: Claim = { kind: "no" };

/** A size that is that of the bytes, a header or none, and a type of four digits. */
function probe(bytes: Uint8Array, length: number): Claim {
  const digits = bytes[0] === 0x30;
  const at = digits ? 4 : 2;
  const size = digits ? Number(latin1Of(bytes, 0, 4)) : sizeOf(bytes);
  if (size < MESSAGE_BYTES_MIN || size + at !== length) return NO;
  const first = bytes[at];
  const header = first === 0x60 ? TPDU_BYTES : first === UNIONPAY_BYTES ? UNIONPAY_BYTES : 0;
  const type = latin1Of(bytes, at + header, at + header + 4);
  if (!isType(type)) return NO;
  const asks = type[2] === "0" || type[2] === "2" || type[2] === "4";
  return { kind: asks ? "request" : "response", score: 84 };
}

const sizeOf = (bytes: Uint8Array): number => (bytes[0] ?? 0) << 8 | (bytes[1] ?? 0);
