// SPDX-License-Identifier: Apache-2.0
// Krpc.
//
//   packet: "KR" | meta bytes u16 | bytes u32 (of what follows these 8) | RpcMeta | body
//   meta  : 1 direction (1 request, 2 response), 2 service, 3 message, 4 sequence, 5 timeout,
//           6 return code, 7 trace (2 trace, 3 parent span, 4 span), 9 compression    all protobuf
//
// Services and messages have numbers, no names. Service 1, message 1 without a sequence is a
// heartbeat. Either end may ask: servers push to clients on the same connection.

import type { Identity } from "../../../model/message.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import {
  BYTES,
  readFields,
  readSigned,
  readTextField,
  readVarint,
  VARINT,
} from "../../wire/protobuf.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";

const PACKET_BYTES_MAX = 1 << 28;
const HEAD_BYTES = 8;
const REQUEST = 1, RESPONSE = 2;
const COMPRESSIONS: Readonly<Record<number, string>> = { 1: "zlib", 2: "snappy" };

const FIELDS = {
  service_id: { type: "number", otel: "rpc.service", doc: "number of the service" },
  message_id: { type: "number", otel: "rpc.method", doc: "number of the message" },
  sequence: { type: "number", otel: "rpc.message.id", doc: "number of the packet" },
  return_code: { type: "number", doc: "return code: 0 is success" },
  timeout_ms: { type: "number", doc: "how long the caller waits" },
  span_id: { type: "string", doc: "span id of the caller, in its tracer's own form" },
  compression: { type: "string", doc: "compression of the body: zlib, snappy" },
  body_size: { type: "number", doc: "bytes of the body" },
} as const;
type F = typeof FIELDS;

export const krpc = defineProtocol<F, Tails>({
  name: "krpc",
  spec: "https://github.com/bruceran/krpc/blob/master/doc/develop.md",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("K"),
  probe,
  open: noTails,

  read(cursor, way, make, tails) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    if (cursor.u16() !== 0x4b52) throw new Malformed("not a packet");
    const metaBytes = cursor.u16();
    const bytes = cursor.u32();
    if (metaBytes > bytes || bytes > PACKET_BYTES_MAX) throw new Malformed("no size of a packet");
    cursor.enter(metaBytes);
    const step = tell(readMeta(cursor, metaBytes), bytes - metaBytes, make);
    cursor.leave();
    if (bytes > metaBytes) keepTail(tails, way, step, bytes - metaBytes);
    return step;
  },

  lost: dropTail,
});

interface Meta {
  direction: number;
  service: number;
  message: number;
  sequence: number;
  timeout: number;
  code: number;
  compression: number;
  trace: string;
  span: string;
}

function readMeta(cursor: Cursor, bytes: number): Meta {
  const meta: Meta = {
    direction: 0,
    service: 0,
    message: 0,
    sequence: 0,
    timeout: 0,
    code: 0,
    compression: 0,
    trace: "",
    span: "",
  };
  const int32 = () => Number(BigInt.asIntN(32, readSigned(cursor)));
  readFields(cursor, bytes, (field, type) => {
    if (field === 7 && type === BYTES) return readTrace(cursor, meta);
    if (type !== VARINT) return false;
    if (field === 1) meta.direction = int32();
    else if (field === 2) meta.service = int32();
    else if (field === 3) meta.message = int32();
    else if (field === 4) meta.sequence = int32();
    else if (field === 5) meta.timeout = int32();
    else if (field === 6) meta.code = int32();
    else if (field === 9) meta.compression = int32();
    else return false;
    return true;
  });
  return meta;
}

function readTrace(cursor: Cursor, meta: Meta): true {
  readFields(cursor, readVarint(cursor), (field, type) => {
    if (type !== BYTES) return false;
    if (field === 2) meta.trace = readTextField(cursor);
    else if (field === 4) meta.span = readTextField(cursor);
    else return false;
    return true;
  });
  return true;
}

function tell(meta: Meta, bodyBytes: number, make: Make<F>): Step {
  const { direction, service, message, sequence: id, code } = meta;
  if (direction !== REQUEST && direction !== RESPONSE) throw new Malformed("no such direction");
  const compression = COMPRESSIONS[meta.compression];
  const draft = {
    type: String(message),
    resource: String(service),
    id,
    identity: identityOf(meta),
    more: bodyBytes > 0,
    fields: {
      service_id: service,
      message_id: message,
      sequence: id,
      body_size: bodyBytes,
      ...(meta.timeout > 0 && { timeout_ms: meta.timeout }),
      ...(meta.span !== "" && { span_id: meta.span }),
      ...(compression !== undefined && { compression }),
      ...(direction === RESPONSE && { return_code: code }),
    },
  };
  if (direction === RESPONSE) {
    return make.response({ ...draft, code, status: code === 0 ? "ok" : "server_error" });
  }
  const heartbeat = service === 1 && message === 1 && id === 0;
  return make.request({ ...draft, endpoint: heartbeat ? "heartbeat" : `${service}/${message}` });
}

function identityOf({ trace, span }: Meta): Identity | null {
  if (trace === "") return null;
  return { traceId: trace, ...(span !== "" && { parentId: span }) };
}

const NO: Claim = { kind: "no" };

/** The meta begins with the direction. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] !== 0x4b || (bytes[1] ?? 0x52) !== 0x52) return NO;
  if (bytes.length < HEAD_BYTES + 2) return length < HEAD_BYTES + 2 ? { kind: "maybe" } : NO;
  const metaBytes = (bytes[2] ?? 0) * 256 + (bytes[3] ?? 0);
  const size = (bytes[4] ?? 0) * 2 ** 24 + (bytes[5] ?? 0) * 2 ** 16 + (bytes[6] ?? 0) * 256 +
    (bytes[7] ?? 0);
  if (metaBytes < 2 || metaBytes > size || size > PACKET_BYTES_MAX || bytes[8] !== 0x08) return NO;
  if (bytes[9] === REQUEST) return { kind: "request", score: 97 };
  return bytes[9] === RESPONSE ? { kind: "response", score: 97 } : NO;
}
