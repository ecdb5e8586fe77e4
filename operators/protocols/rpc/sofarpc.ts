// SPDX-License-Identifier: Apache-2.0
// SOFARPC's Bolt protocol.
//
//   version 1: 1 | type u8 | command u16 | 1 | request id u32 | codec u8 | …
//   version 2: 2 | 1 | type u8 | command u16 | 1 | request id u32 | codec u8 | switches u8 | …
//              | [crc u32]
//   …        : timeout u32 (request) or status u16 (response) | class u16 | header u16
//              | content u32, and as many bytes of each
//   header   : (name: bytes u32, text | value: bytes u32, text) …
//   type     : 0 response, 1 request, 2 one-way      command: 0 heartbeat, 1 request, 2 response

import type { Identity } from "../../../model/message.ts";
import type { Status } from "../../../model/status.ts";
import { attempt } from "../../wire/attempt.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";
import { IdentityReader } from "../../wire/trace_context.ts";
import { latin1Of } from "../../wire/text.ts";

const CONTENT_BYTES_MAX = 1 << 27;
const HEARTBEAT = 0, CRC = 1;

const FIELDS = {
  service: { type: "string", otel: "rpc.service", doc: "target service with its version" },
  method: { type: "string", otel: "rpc.method", doc: "method" },
  application: { type: "string", otel: "peer.service", doc: "target application" },
  request_id: { type: "number", otel: "rpc.message.id", doc: "request id" },
  codec: { type: "number", doc: "codec: 1 is Hessian" },
  class: { type: "string", doc: "class of the content" },
  status_code: { type: "number", doc: "status of the response" },
} as const;
type F = typeof FIELDS;

export const sofarpc = defineProtocol<F, Tails>({
  name: "sofarpc",
  spec: "https://github.com/sofastack/sofa-bolt/wiki/SOFA-Bolt-Handbook",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet(1, 2),
  probe,
  open: noTails,

  read(cursor, way, make, tails) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    const version = cursor.u8();
    if (version !== 1 && version !== 2) throw new Malformed("no such version");
    if (version === 2) cursor.skip(1);
    const type = cursor.u8();
    const command = cursor.u16();
    if (type > 2 || command > 2) throw new Malformed("no such command");
    cursor.skip(1);
    const id = cursor.u32();
    const codec = cursor.u8();
    const switches = version === 2 ? cursor.u8() : 0;
    const code = type === 0 ? cursor.u16() : 0;
    if (type !== 0) cursor.skip(4);
    const classBytes = cursor.u16();
    const headerBytes = cursor.u16();
    const content = cursor.u32();
    if (content > CONTENT_BYTES_MAX) throw new Malformed("content too long");
    const rest = content + ((switches & CRC) !== 0 ? 4 : 0);
    cursor.enter(classBytes + headerBytes);
    const head = readHead(cursor, classBytes);
    cursor.leave();
    const step = tell({ type, command, id, codec, code }, head, rest > 0, make);
    if (rest > 0) keepTail(tails, way, step, rest);
    return step;
  },

  lost: dropTail,
});

interface Frame {
  readonly type: number;
  readonly command: number;
  readonly id: number;
  readonly codec: number;
  readonly code: number;
}

interface Head {
  className: string;
  service: string;
  method: string;
  application: string;
  identity: Identity | null;
}

function readHead(cursor: Cursor, classBytes: number): Head {
  const head: Head = { className: "", service: "", method: "", application: "", identity: null };
  const reader = new IdentityReader();
  let own: Identity = {};
  attempt(() => {
    head.className = cursor.text(classBytes);
    while (cursor.captured > 0) {
      const name = cursor.text(cursor.u32());
      const value = cursor.text(cursor.u32());
      if (name === "sofa_head_target_service") head.service = value;
      else if (name === "service") head.service ||= value;
      else if (name === "sofa_head_method_name") head.method = value;
      else if (name === "sofa_head_target_app") head.application = value;
      else if (name === "new_rpc_trace_context") own = traceOf(value);
      else if (name === "rpc_trace_context.sofaTraceId") own = { ...own, traceId: value };
      else if (name === "rpc_trace_context.sofaRpcId") own = { ...own, parentId: value };
      else reader.add(name.toLowerCase(), value);
    }
  });
  head.identity = reader.identity() ?? (own.traceId === undefined ? null : own);
  return head;
}

/** `tcid=<trace>&spid=<span>&pspid=<parent>&sample=true&` */
function traceOf(text: string): Identity {
  const traceId = /(?:^|&)tcid=([^&]+)/.exec(text)?.[1];
  const parentId = /(?:^|&)spid=([^&]+)/.exec(text)?.[1];
  return traceId === undefined ? {} : { traceId, ...(parentId !== undefined && { parentId }) };
}

function tell(frame: Frame, head: Head, more: boolean, make: Make<F>): Step {
  const { id, codec, code } = frame;
  const heartbeat = frame.command === HEARTBEAT;
  const named = heartbeat && { type: "HEARTBEAT", endpoint: "HEARTBEAT" };
  const fields = { request_id: id, codec, ...(head.className !== "" && { class: head.className }) };
  if (frame.type === 0) {
    return make.response({
      ...(heartbeat && { type: "HEARTBEAT" }),
      code,
      status: statusOf(code),
      id,
      more,
      fields: { ...fields, status_code: code },
    });
  }
  const { service, method, application } = head;
  const draft = {
    type: method,
    resource: service,
    endpoint: service === "" ? method : `${service}/${method}`,
    id,
    identity: head.identity,
    more,
    fields: {
      ...(service !== "" && { service }),
      ...(method !== "" && { method }),
      ...(application !== "" && { application }),
      ...fields,
    },
    ...named,
  };
  return frame.type === 2 ? make.oneway(draft) : make.request(draft);
}

/** 8: the client could not send. */
function statusOf(code: number): Status {
  if (code === 0) return "ok";
  return code === 8 ? "client_error" : "server_error";
}

const NO: Claim = { kind: "no" };

/** Version, type and command agree, and so do the sizes with the bytes that are there. */
function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes.length < 20) return length < 20 ? { kind: "maybe" } : NO;
  const second = bytes[0] === 2;
  const at = second ? 2 : 1;
  if (second && bytes[1] !== 1 && bytes[1] !== 2) return NO;
  const type = bytes[at] ?? 9;
  const command = bytes[at + 2] ?? 9;
  if (type > 2 || bytes[at + 1] !== 0 || bytes[at + 3] !== 1) return NO;
  if (command !== HEARTBEAT && command !== (type === 0 ? 2 : 1)) return NO;
  const codec = bytes[at + 8] ?? 99;
  const sizes = at + 9 + (second ? 1 : 0) + (type === 0 ? 2 : 4);
  const u16 = (i: number) => (bytes[i] ?? 0) << 8 | (bytes[i + 1] ?? 0);
  const whole = sizes + 8 + u16(sizes) + u16(sizes + 2) + u16(sizes + 4) * 65_536 + u16(sizes + 6) +
    (second && ((bytes[at + 9] ?? 0) & CRC) !== 0 ? 4 : 0);
  if (codec > 32 || whole - length > CONTENT_BYTES_MAX) return NO;
  const named = u16(sizes) > 0 && isClass(bytes, sizes + 8, u16(sizes));
  if (command !== HEARTBEAT && !named) return NO;
  const fits = whole === length || (whole < length && bytes[whole] === bytes[0]);
  if (!fits && !(named && whole > length)) return NO;
  return { kind: type === 0 ? "response" : "request", score: fits ? 92 : 85 };
}

/** A Java class name, as the content's class is. */
function isClass(bytes: Uint8Array, at: number, count: number): boolean {
  const name = latin1Of(bytes, at, Math.min(at + count, at + 256));
  return /^[\w.$[;]+$/.test(name);
}
