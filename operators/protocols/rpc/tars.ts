// SPDX-License-Identifier: Apache-2.0
// Tars.
//
//   packet  : bytes u32, itself included | fields
//   request : 1 version, 2 packet type (1 one-way), 3 message type, 4 request id, 5 servant,
//             6 function, 7 arguments, 8 timeout, 9 context, 10 status
//   response: 1 version, 2 packet type, 3 request id, 4 message type, 5 return code, 6 result,
//             7 status, 8 description, 9 context
//
// Field 5 tells them apart: a text in a request, a number in a response. Version 3 (TUP) answers
// in the form of a request, without a servant that was asked.

import type { Status } from "../../../model/status.ts";
import { attempt } from "../../wire/attempt.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { type Claim, defineProtocol, type Make, type Step, type Way } from "../../wire/protocol.ts";
import { IdentityReader } from "../../wire/trace_context.ts";
import {
  isNumber,
  isText,
  passValue,
  readNumber,
  readTag,
  readText,
  readTextMap,
} from "./tars_values.ts";

const PACKET_BYTES_MAX = 1 << 27;
/** Of a longer packet only so much is read. */
const READ_BYTES_MAX = 16_384;
const ONE_WAY = 1, TUP = 3;

const FIELDS = {
  servant: { type: "string", otel: "rpc.service", doc: "servant" },
  function: { type: "string", otel: "rpc.method", doc: "function" },
  request_id: { type: "number", otel: "rpc.message.id", doc: "request id" },
  return_code: { type: "number", doc: "return code of the framework" },
  error_message: { type: "string", doc: "description of the result" },
  version: { type: "number", otel: "network.protocol.version", doc: "1 Tars, 3 TUP" },
} as const;
type F = typeof FIELDS;

export const tars = defineProtocol<F, Tails>({
  name: "tars",
  spec: "https://doc.tarsyun.com/#/base/tars-protocol.md",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet([0, 7]),
  probe,
  open: noTails,

  read(cursor, way, make, tails) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    const size = cursor.u32() - 4;
    if (size < 8 || size > PACKET_BYTES_MAX) throw new Malformed("no size of a packet");
    const kept = Math.min(size, READ_BYTES_MAX);
    cursor.enter(kept);
    const step = readPacket(cursor, way, size > kept, make);
    cursor.leave();
    if (size > kept) keepTail(tails, way, step, size - kept);
    return step;
  },

  lost: dropTail,
});

/** Fields by their tags: numbers, texts, and the trace context in maps. */
interface Packet {
  readonly numbers: Map<number, number>;
  readonly texts: Map<number, string>;
  readonly reader: IdentityReader;
}

function readPacket(cursor: Cursor, way: Way, more: boolean, make: Make<F>): Step {
  const packet: Packet = { numbers: new Map(), texts: new Map(), reader: new IdentityReader() };
  attempt(() => readPacketFields(cursor, packet));
  const { numbers, texts } = packet;
  // What tells requests and responses apart was not captured.
  if (!numbers.has(5) && !texts.has(5) && cursor.remaining > cursor.captured) cursor.needAll();
  const version = numbers.get(1);
  if (version !== 1 && version !== 2 && version !== TUP) throw new Malformed("no such version");
  const servant = texts.get(5);
  if (numbers.has(5)) {
    return tellResponse(packet, numbers.get(3) ?? 0, numbers.get(5) ?? 0, more, make);
  }
  if (servant === undefined) throw new Malformed("neither servant nor return code");
  const id = numbers.get(4) ?? 0;
  if (version === TUP && way === "toClient") return tellResponse(packet, id, 0, more, make);
  const name = texts.get(6) ?? "";
  const draft = {
    type: name,
    resource: servant,
    endpoint: `${servant}/${name}`,
    id,
    identity: packet.reader.identity(),
    more,
    fields: { servant, function: name, request_id: id, version },
  };
  return numbers.get(2) === ONE_WAY ? make.oneway(draft) : make.request(draft);
}

function readPacketFields(cursor: Cursor, { numbers, texts, reader }: Packet): void {
  while (cursor.captured > 0) {
    const { tag, type } = readTag(cursor);
    if (isNumber(type)) numbers.set(tag, readNumber(cursor, type));
    else if (isText(type)) texts.set(tag, readText(cursor, type));
    else if (type === 8) {
      readTextMap(cursor, (name, value) => reader.add(name.toLowerCase(), value));
    } else passValue(cursor, type);
  }
}

function tellResponse(
  { numbers, texts }: Packet,
  id: number,
  code: number,
  more: boolean,
  make: Make<F>,
): Step {
  const message = texts.get(8) ?? "";
  return make.response({
    code,
    status: statusOf(code),
    id,
    more,
    fields: {
      request_id: id,
      return_code: code,
      version: numbers.get(1) ?? 1,
      ...(message !== "" && { error_message: message }),
    },
  });
}

/** -1 not decodable, -3 no such function, -4 no such servant, -12 not decodable for the client. */
const CLIENT_CODES = new Set([-1, -3, -4, -12]);

function statusOf(code: number): Status {
  if (code === 0) return "ok";
  return CLIENT_CODES.has(code) ? "client_error" : "server_error";
}

const NO: Claim = { kind: "no" };

/** The size is that of the bytes; fields 1 to 4 are numbers, field 5 is as in either packet. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 12) return length < 12 ? { kind: "maybe" } : NO;
  const size = (bytes[0] ?? 0) * 2 ** 24 + (bytes[1] ?? 0) * 2 ** 16 + (bytes[2] ?? 0) * 2 ** 8 +
    (bytes[3] ?? 0);
  if (bytes[4] !== 0x10 || size < 12 || size > PACKET_BYTES_MAX) return NO;
  const version = bytes[5] ?? 0;
  if (version === 0 || version > TUP) return NO;
  let at = 6;
  for (let tag = 2; tag <= 4; tag++) {
    const head = bytes[at] ?? 0;
    const type = head & 15;
    if (head >> 4 !== tag || !isNumber(type)) return NO;
    at += type === 12 ? 1 : 1 + (1 << type);
  }
  const fifth = bytes[at] ?? 0;
  const score = size === length ? 92 : size > length ? 75 : 85;
  if (fifth >> 4 !== 5) return NO;
  if (isText(fifth & 15)) return { kind: version === TUP ? "either" : "request", score };
  return isNumber(fifth & 15) ? { kind: "response", score } : NO;
}
