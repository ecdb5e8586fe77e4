// SPDX-License-Identifier: Apache-2.0
// bRPC's own protocol, baidu_std.
//
//   frame: "PRPC" | bytes u32 (of what follows these 12) | meta bytes u32 | RpcMeta
//          | payload, attachment
//   meta : 1 request (1 service, 2 method, 3 log id, 4 trace, 5 span, 7 request id, 9 user fields)
//          2 response (1 error code, 2 error text) | 4 correlation id           all protobuf
//
// Frames of streams begin with "STRM" and are passed over.

import type { Status } from "../../../model/status.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { type Claim, defineProtocol, type Make, type Step, type Way } from "../../wire/protocol.ts";
import {
  BYTES,
  readFields,
  readSigned,
  readTextField,
  readVarint,
  VARINT,
} from "../../wire/protobuf.ts";
import { IdentityReader } from "../../wire/trace_context.ts";
import { latin1Of } from "../../wire/text.ts";

const BODY_BYTES_MAX = 1 << 28;
const META_BYTES_MAX = 1 << 18;

const FIELDS = {
  service: { type: "string", otel: "rpc.service", doc: "service" },
  method: { type: "string", otel: "rpc.method", doc: "method" },
  correlation_id: { type: "string", otel: "rpc.message.id", doc: "correlation id" },
  log_id: { type: "string", doc: "log id that the caller gave" },
  error_code: { type: "number", doc: "error code of the response" },
  error_message: { type: "string", doc: "text of the error" },
  body_size: { type: "number", doc: "bytes of message and attachment" },
} as const;
type F = typeof FIELDS;

export const brpc = defineProtocol<F, Tails>({
  name: "brpc",
  spec: "https://github.com/apache/brpc/blob/master/docs/cn/baidu_std.md",
  transports: ["tcp", "unix"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet("PS"),
  words: ["PRPC", "STRM"],
  probe,
  open: noTails,

  read(cursor, way, make, tails) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    const magic = cursor.latin1(4);
    const size = cursor.u32();
    const metaBytes = cursor.u32();
    if (metaBytes > size || size > BODY_BYTES_MAX) throw new Malformed("no size of a frame");
    if (magic === "STRM") return size === 0 ? { kind: "nothing" } : { kind: "skip", bytes: size };
    if (magic !== "PRPC" || metaBytes > META_BYTES_MAX) throw new Malformed("not a frame");
    cursor.enter(metaBytes);
    const step = readMeta(cursor, metaBytes, size - metaBytes, way, make);
    cursor.leave();
    if (size > metaBytes) keepTail(tails, way, step, size - metaBytes);
    return step;
  },

  lost: dropTail,
});

interface Meta {
  service: string;
  method: string;
  logId: bigint | null;
  trace: bigint;
  span: bigint;
  /** -1 in a request. */
  code: number;
  text: string;
  id: bigint;
  readonly reader: IdentityReader;
}

function readMeta(
  cursor: Cursor,
  bytes: number,
  bodyBytes: number,
  way: Way,
  make: Make<F>,
): Step {
  const meta: Meta = {
    service: "",
    method: "",
    logId: null,
    trace: 0n,
    span: 0n,
    code: -1,
    text: "",
    id: 0n,
    reader: new IdentityReader(),
  };
  readFields(cursor, bytes, (field, type) => {
    if (field === 1 && type === BYTES) readRequestMeta(cursor, meta);
    else if (field === 2 && type === BYTES) readResponseMeta(cursor, meta);
    else if (field === 4 && type === VARINT) meta.id = readSigned(cursor);
    else return false;
    return true;
  });
  // An answer need not say that nothing went wrong.
  if (meta.service === "" && meta.code < 0 && way === "toClient") meta.code = 0;
  return tell(meta, bodyBytes, make);
}

function readRequestMeta(cursor: Cursor, meta: Meta): void {
  readFields(cursor, readVarint(cursor), (field, type) => {
    if (field === 1 && type === BYTES) meta.service = readTextField(cursor);
    else if (field === 2 && type === BYTES) meta.method = readTextField(cursor);
    else if (field === 3 && type === VARINT) meta.logId = readSigned(cursor);
    else if (field === 4 && type === VARINT) meta.trace = BigInt.asUintN(64, readSigned(cursor));
    else if (field === 5 && type === VARINT) meta.span = BigInt.asUintN(64, readSigned(cursor));
    else if (field === 7 && type === BYTES) meta.reader.add("x-request-id", readTextField(cursor));
    else if (field === 9 && type === BYTES) readUserField(cursor, meta.reader);
    else return false;
    return true;
  });
}

function readResponseMeta(cursor: Cursor, meta: Meta): void {
  meta.code = 0;
  readFields(cursor, readVarint(cursor), (field, type) => {
    if (field === 1 && type === VARINT) meta.code = Number(readSigned(cursor));
    else if (field === 2 && type === BYTES) meta.text = readTextField(cursor);
    else return false;
    return true;
  });
}

function readUserField(cursor: Cursor, reader: IdentityReader): void {
  let key = "", value = "";
  readFields(cursor, readVarint(cursor), (field, type) => {
    if (type !== BYTES) return false;
    if (field === 1) key = readTextField(cursor);
    else if (field === 2) value = readTextField(cursor);
    else return false;
    return true;
  });
  reader.add(key.toLowerCase(), value);
}

/** 1001 to 1004: no such service or method, bad request, refused login. */
function statusOf(code: number): Status {
  if (code === 0) return "ok";
  return code >= 1_001 && code <= 1_004 ? "client_error" : "server_error";
}

function tell(meta: Meta, bodyBytes: number, make: Make<F>): Step {
  const { service, method, id, code } = meta;
  const more = bodyBytes > 0;
  const correlation = { correlation_id: String(id), body_size: bodyBytes };
  if (code >= 0) {
    return make.response({
      code,
      status: statusOf(code),
      id,
      more,
      fields: {
        ...correlation,
        error_code: code,
        ...(meta.text !== "" && { error_message: meta.text }),
      },
    });
  }
  if (service === "") throw new Malformed("neither request nor response");
  return make.request({
    type: method,
    resource: service,
    endpoint: `${service}/${method}`,
    id,
    identity: identityOf(meta),
    more,
    fields: {
      service,
      method,
      ...correlation,
      ...(meta.logId !== null && { log_id: String(meta.logId) }),
    },
  });
}

/** Headers among the user fields win over bRPC's own ids. */
function identityOf({ trace, span, reader }: Meta) {
  const identity = reader.identity();
  if (trace === 0n || identity?.traceId !== undefined) return identity;
  const hex = (value: bigint): string => value.toString(16).padStart(16, "0");
  return { ...identity, traceId: hex(trace), ...(span !== 0n && { parentId: hex(span) }) };
}

const NO: Claim = { kind: "no" };

function probe(bytes: Uint8Array, length: number): Claim {
  const magic = latin1Of(bytes, 0, 4);
  if (!"PRPC".startsWith(magic) && !"STRM".startsWith(magic)) return NO;
  if (bytes.length < 13) return length < 13 ? { kind: "maybe" } : NO;
  const u32 = (at: number) =>
    (bytes[at] ?? 0) * 2 ** 24 + (bytes[at + 1] ?? 0) * 2 ** 16 + (bytes[at + 2] ?? 0) * 2 ** 8 +
    (bytes[at + 3] ?? 0);
  if (u32(8) > u32(4) || u32(4) > BODY_BYTES_MAX) return NO;
  if (magic === "STRM") return { kind: "either", score: 60 };
  if (bytes[12] === 0x0a) return { kind: "request", score: 100 };
  return { kind: bytes[12] === 0x12 ? "response" : "either", score: 95 };
}
