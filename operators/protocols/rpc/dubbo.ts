// SPDX-License-Identifier: Apache-2.0
// Dubbo 2. (Dubbo 3's Triple is gRPC and read as such.)
//
//   header  : da bb | flags u8 | status u8 | id u64 | body bytes u32
//   flags   : request 80 | two-way 40 | event 20 | serialisation, 5 bits
//   request : Dubbo version, service, service version, method, parameter types, arguments,
//             attachments
//   response: kind of result int, result, [attachments]; a text where the status is not OK

import type { Identity } from "../../../model/message.ts";
import type { Status } from "../../../model/status.ts";
import { attempt } from "../../wire/attempt.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { dropTail, keepTail, noTails, passTail, type Tails } from "../../wire/long_frame.ts";
import { present } from "../../wire/present.ts";
import { type Claim, defineProtocol, type Make, type Step } from "../../wire/protocol.ts";
import { IdentityReader } from "../../wire/trace_context.ts";
import { parameterCount } from "./dubbo_parameters.ts";
import { type Classes, passValue, readInt, readText, readTextMap } from "./hessian.ts";
import { eachKryoEntry, TEXT_READERS } from "./dubbo_texts.ts";

const HEADER_BYTES = 16;
const BODY_BYTES_MAX = 1 << 28;
/** Of a longer body only so much is read. */
const READ_BYTES_MAX = 32_768;
const REQUEST = 0x80, TWO_WAY = 0x40, EVENT = 0x20;
const HESSIAN = 2, FASTJSON = 6;
const KRYO = new Set([8, 25]);

const FIELDS = {
  service: { type: "string", otel: "rpc.service", doc: "interface of the service" },
  method: { type: "string", otel: "rpc.method", doc: "method" },
  service_version: { type: "string", doc: "version of the service" },
  group: { type: "string", doc: "group of the service" },
  application: { type: "string", otel: "peer.service", doc: "application that calls" },
  version: { type: "string", otel: "network.protocol.version", doc: "version of Dubbo" },
  serialization: { type: "number", doc: "id of the serialisation: 2 is Hessian 2" },
  request_id: { type: "string", otel: "rpc.message.id", doc: "id of the request" },
  status_code: { type: "number", doc: "status of the response: 20 is OK" },
  exception: { type: "string", otel: "exception.type", doc: "class that the method threw" },
  error_message: { type: "string", doc: "text of a response that is not OK" },
} as const;
type F = typeof FIELDS;

export const dubbo = defineProtocol<F, Tails>({
  name: "dubbo",
  spec: "https://dubbo.apache.org/en/docs3-v2/java-sdk/reference-manual/protocol/",
  transports: ["tcp"],
  fields: FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "id",
  capture: "all",
  starts: byteSet(0xda),
  probe,
  open: noTails,

  read(cursor, way, make, tails) {
    const passing = passTail(cursor, way, tails);
    if (passing !== null) return passing;
    if (cursor.u16() !== 0xdabb) throw new Malformed("not the magic number");
    const flags = cursor.u8();
    const status = cursor.u8();
    const id = cursor.u64();
    const size = cursor.u32();
    if (size > BODY_BYTES_MAX) throw new Malformed("body too long");
    const kept = Math.min(size, READ_BYTES_MAX);
    cursor.enter(kept);
    const step = (flags & REQUEST) !== 0
      ? readRequest(cursor, flags, id, size > kept, make)
      : readResponse(cursor, flags, status, id, size > kept, make);
    cursor.leave();
    if (size > kept) keepTail(tails, way, step, size - kept);
    return step;
  },

  lost: dropTail,
});

interface Found {
  version: string;
  service: string;
  serviceVersion: string;
  method: string;
  group: string;
  application: string;
  identity: Identity | null;
}

function readRequest(
  cursor: Cursor,
  flags: number,
  id: bigint,
  more: boolean,
  make: Make<F>,
): Step {
  const serialization = flags & 31;
  if ((flags & EVENT) !== 0) {
    const draft = { type: "HEARTBEAT", endpoint: "HEARTBEAT", id, more };
    return (flags & TWO_WAY) !== 0 ? make.request(draft) : make.oneway(draft);
  }
  const found: Found = {
    version: "",
    service: "",
    serviceVersion: "",
    method: "",
    group: "",
    application: "",
    identity: null,
  };
  attempt(() => {
    if (serialization === HESSIAN) readHessian(cursor, found);
    else if (serialization === FASTJSON) readJson(cursor, found);
    else readTexts(cursor, serialization, found);
  });
  const { service, method } = found;
  const draft = {
    type: method,
    resource: service,
    endpoint: service === "" ? "" : `${service}/${method}`,
    id,
    identity: found.identity,
    more,
    fields: present({
      request_id: String(id),
      serialization,
      service,
      method: service === "" ? "" : method,
      service_version: found.serviceVersion,
      group: found.group,
      application: found.application,
      version: found.version,
    }),
  };
  return (flags & TWO_WAY) !== 0 ? make.request(draft) : make.oneway(draft);
}

function readHessian(cursor: Cursor, found: Found): void {
  found.version = readText(cursor);
  found.service = readText(cursor);
  found.serviceVersion = readText(cursor);
  found.method = readText(cursor);
  const parameters = parameterCount(readText(cursor));
  const classes: Classes = [];
  for (let i = 0; i < parameters; i++) passValue(cursor, classes);
  found.identity = readAttachments(found, (each) => void readTextMap(cursor, classes, each));
}

/** Trace context, EagleEye's included, and what else tells who calls whom. */
function readAttachments(
  found: Found | null,
  read: (each: (name: string, value: string) => void) => void,
): Identity | null {
  const reader = new IdentityReader();
  let eagleTrace = "";
  let eagleSpan = "";
  attempt(() => {
    read((name, value) => {
      reader.add(name.toLowerCase(), value);
      if (name === "EagleEye-TraceID") eagleTrace = value;
      else if (name === "EagleEye-SpanID") eagleSpan = value;
      else if (found === null) return;
      else if (name === "group") found.group = value;
      else if (APPLICATION_NAMES.has(name)) found.application = value;
    });
  });
  const identity = reader.identity();
  return identity?.traceId !== undefined || eagleTrace === ""
    ? identity
    : { ...identity, traceId: eagleTrace, ...(eagleSpan !== "" && { parentId: eagleSpan }) };
}

const APPLICATION_NAMES = new Set(["remote.application", "application", "applicationName"]);

/** Other serializations: the same texts; of attachments what is found. */
function readTexts(cursor: Cursor, serialization: number, found: Found): void {
  const text = TEXT_READERS.get(serialization);
  if (text === undefined) return;
  const [version, service, serviceVersion, method] = [
    text(cursor),
    text(cursor),
    text(cursor),
    text(cursor),
  ];
  if (!/^[\w.$/-]+$/.test(service) || !/^[\w$]+$/.test(method)) throw new Malformed("no names");
  Object.assign(found, { version, service, serviceVersion, method });
  if (!KRYO.has(serialization)) return;
  text(cursor);
  found.identity = readAttachments(found, (each) => eachKryoEntry(cursor, each));
}

/** fastjson: the same values as JSON texts, one a line. */
function readJson(cursor: Cursor, found: Found): void {
  found.version = jsonText(cursor);
  found.service = jsonText(cursor);
  found.serviceVersion = jsonText(cursor);
  found.method = jsonText(cursor);
  const reader = new IdentityReader();
  const rest = cursor.textCaptured(cursor.remaining, JSON_BYTES_MAX);
  for (const [, name = "", value = ""] of rest.matchAll(/"([\w.-]{1,32})":"([^"\\]{1,512})"/g)) {
    reader.add(name.toLowerCase(), value);
  }
  found.identity = reader.identity();
}

/** Of the arguments and attachments behind them. */
const JSON_BYTES_MAX = 16_384;

function jsonText(cursor: Cursor): string {
  const line = cursor.line(4_096);
  if (!/^"[^"\\]*"$/.test(line)) throw new Malformed("no JSON text");
  return line.slice(1, -1);
}

const OK = 20;

/** Wrong requests and the client's own failures; everything else is the server's. */
function statusOf(code: number): Status {
  if (code === OK) return "ok";
  return code === 30 || code === 40 || code === 90 ? "client_error" : "server_error";
}

function readResponse(
  cursor: Cursor,
  flags: number,
  code: number,
  id: bigint,
  more: boolean,
  make: Make<F>,
): Step {
  let exception = "";
  let message = "";
  let identity: Identity | null = null;
  if ((flags & EVENT) === 0 && (flags & 31) === HESSIAN) {
    attempt(() => {
      if (code !== OK) message = readText(cursor);
      else [exception, identity] = readResult(cursor);
    });
  }
  return make.response({
    type: (flags & EVENT) !== 0 ? "HEARTBEAT" : "",
    code,
    status: exception !== "" ? "server_error" : statusOf(code),
    id,
    identity,
    more,
    fields: present({ status_code: code, exception, error_message: message }),
  });
}

/** 0 exception, 1 value, 2 null; 3, 4 and 5 the same with attachments behind. */
function readResult(cursor: Cursor): [exception: string, identity: Identity | null] {
  const kind = readInt(cursor);
  const classes: Classes = [];
  if (kind === 0 || kind === 3) {
    attempt(() => void passValue(cursor, classes));
    return [classes[0]?.name ?? "unknown", null];
  }
  if (kind === 4) passValue(cursor, classes);
  if (kind < 4) return ["", null];
  return ["", readAttachments(null, (each) => void readTextMap(cursor, classes, each))];
}

const NO: Claim = { kind: "no" };
const STATUSES = new Set([20, 25, 30, 31, 35, 40, 50, 60, 70, 80, 90, 100]);

function probe(bytes: Uint8Array, length: number): Claim {
  if (bytes[0] !== 0xda || (bytes[1] ?? 0xbb) !== 0xbb) return NO;
  if (bytes.length < HEADER_BYTES) return length < HEADER_BYTES ? { kind: "maybe" } : NO;
  const flags = bytes[2] ?? 0;
  if ((bytes[12] ?? 255) >= 0x10) return NO;
  if ((flags & REQUEST) !== 0) return { kind: "request", score: 100 };
  return STATUSES.has(bytes[3] ?? 0) ? { kind: "response", score: 100 } : NO;
}
