// SPDX-License-Identifier: Apache-2.0
// One OTLP span as a span of ours: seen by the application itself, so observer is "app".

import type { Attributes } from "../../../model/message.ts";
import { LIMITS } from "../../../model/limits.ts";
import type { Span } from "../../../model/span.ts";
import type { SpanKind, Status } from "../../../model/status.ts";
import { protocolNamed } from "./protocol_named.ts";

/** Null if it lacks an id or its times. Its own attributes are given, and those of its resource. */
export function applicationSpan(
  raw: unknown,
  own: Attributes,
  resource: Attributes,
): Span | null {
  if (typeof raw !== "object" || raw === null) return null;
  const fields = raw as Readonly<Record<string, unknown>>;
  const traceId = hexOf(fields["traceId"] ?? fields["trace_id"], 32);
  const spanId = hexOf(fields["spanId"] ?? fields["span_id"], 16);
  const startNs = nanosOf(fields["startTimeUnixNano"] ?? fields["start_time_unix_nano"]);
  const endNs = nanosOf(fields["endTimeUnixNano"] ?? fields["end_time_unix_nano"]);
  if (traceId === null || spanId === null || startNs === null || endNs === null) return null;
  if (endNs < startNs) return null;
  const namedId = hexOf(fields["parentSpanId"] ?? fields["parent_span_id"], 16);
  const parentId = namedId === spanId ? null : namedId;
  const name = typeof fields["name"] === "string" ? cut(fields["name"]) : "";
  const code = codeIn(own);
  return {
    span_id: BigInt(`0x${spanId}`),
    parent_span_id: parentId === null ? null : BigInt(`0x${parentId}`),
    link_evidence: parentId === null ? "" : "identity",
    link_confidence: parentId === null ? 0 : 1,
    revision: 0,
    kind: kindOf(fields["kind"]),
    observer: "app",
    protocol: protocolNamed(own),
    name,
    request_type: text(own, "http.request.method", "http.method", "db.operation.name"),
    resource: text(own, "url.path", "http.target", "url.full", "http.url", "db.query.text"),
    domain: text(own, "server.address", "http.host", "net.peer.name"),
    endpoint: text(own, "http.route") || name,
    response_code: code,
    status: statusOf(fields["status"], code),
    shape: "exchange",
    request_id: null,
    start_unix_ns: startNs,
    end_unix_ns: endNs,
    first_byte_unix_ns: null,
    ...whoOf(own, resource),
    ...NO_SOCKET,
    trace_id_header: traceId,
    parent_id_header: parentId,
    x_request_id: null,
    message_key: null,
    attributes: own,
  };
}

/** What only spans of sockets have. */
const NO_SOCKET = {
  cgroup_id: 0n,
  netns: 0,
  transport: "tcp",
  local: "",
  peer: "",
  socket_id: 0n,
  peer_socket_id: 0n,
  request_offset: 0,
  request_seq: null,
  response_seq: null,
  bytes_request: 0,
  bytes_response: 0,
  is_tls: false,
  clipped: false,
  gaps: "",
} as const;

function whoOf(own: Attributes, resource: Attributes) {
  return {
    host: text(resource, "host.name"),
    pid: number(resource, "process.pid"),
    tid: number(own, "thread.id"),
    process: text(resource, "process.executable.name", "process.command"),
    exe: text(resource, "process.executable.path"),
    service: text(resource, "service.name"),
    container: text(resource, "container.id").slice(0, CONTAINER_DIGITS),
  };
}

const CONTAINER_DIGITS = 12;

/** The first of these attributes that is there, as text of bounded length. */
function text(attributes: Attributes, ...names: readonly string[]): string {
  for (const name of names) {
    const value = attributes[name];
    if (value !== undefined && value !== "") return cut(String(value));
  }
  return "";
}

const cut = (long: string) => long.slice(0, LIMITS.textBytes.value);

/** A count from 0 to 2³² − 1; 0 for anything else. */
function number(attributes: Attributes, name: string): number {
  const value = Number(attributes[name]);
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff ? value : 0;
}

function codeIn(own: Attributes): number | null {
  for (const name of ["http.response.status_code", "http.status_code", "rpc.grpc.status_code"]) {
    const code = Number(own[name] ?? NaN);
    if (Number.isInteger(code) && Math.abs(code) <= 0x7fff_ffff) return code;
  }
  return null;
}

const KINDS: readonly SpanKind[] = [
  "internal",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
];

/** A number, or a name such as SPAN_KIND_SERVER. */
function kindOf(kind: unknown): SpanKind {
  if (typeof kind === "number") return KINDS[kind] ?? "internal";
  if (typeof kind !== "string") return "internal";
  const name = kind.replace(/^SPAN_KIND_/, "").toLowerCase();
  return KINDS.find((known) => known === name) ?? "internal";
}

const ERROR = 2;

function statusOf(status: unknown, code: number | null): Status {
  const given = typeof status === "object" && status !== null && "code" in status
    ? status.code
    : undefined;
  const isError = given === ERROR || given === "STATUS_CODE_ERROR";
  if (code !== null && code >= 400 && code < 500) return "client_error";
  return isError || (code !== null && code >= 500) ? "server_error" : "ok";
}

/** Lower-case hex of so many digits, not all of them 0. Some writers give base64. */
function hexOf(id: unknown, digits: 16 | 32): string | null {
  if (typeof id !== "string") return null;
  const hex = id.length === digits ? id.toLowerCase() : hexOfBase64(id);
  if (hex.length !== digits || !/^[0-9a-f]+$/.test(hex)) return null;
  return /^0+$/.test(hex) ? null : hex;
}

function hexOfBase64(id: string): string {
  if (!/^[A-Za-z0-9+/]{11,22}={1,2}$/.test(id)) return "";
  try {
    const bytes = Uint8Array.from(atob(id), (character) => character.charCodeAt(0));
    return bytes.toHex();
  } catch {
    return "";
  }
}

/** Unix nanoseconds, of 1970 to 2116: text, or a number that JSON has rounded. */
function nanosOf(time: unknown): bigint | null {
  const isText = typeof time === "string" && /^\d{1,19}$/.test(time);
  const isNumber = typeof time === "number" && time > 0 && time < Number(TIME_END_NS);
  if (!isText && !isNumber) return null;
  const ns = BigInt(isNumber ? Math.trunc(time) : time);
  return ns > 0n && ns < TIME_END_NS ? ns : null;
}

/** Sums and differences of times stay within 63 bits. */
const TIME_END_NS = 1n << 62n;
