// SPDX-License-Identifier: Apache-2.0
// The span: its columns, declared once. Store, export, SQL, JSON lines and pages derive from this
// table.

import type { Candidate, Evidence } from "./link.ts";
import type { Attributes } from "./message.ts";
import type { Observer, Shape, SpanKind, Status } from "./status.ts";

/**
 * How a column is stored. "enum" and "label" are text of few values (dictionary-coded);
 * "text" is text of many. A trailing "?" allows null.
 */
export type ColumnType =
  | "id"
  | "id?"
  | "unix_ns"
  | "unix_ns?"
  | "u32"
  | "u32?"
  | "i32?"
  | "u64"
  | "f32"
  | "bool"
  | "enum"
  | "label"
  | "text"
  | "text?"
  | "attributes";

export interface Column {
  readonly type: ColumnType;
  readonly doc: string;
}

const column = <T extends ColumnType>(type: T, doc: string) => ({ type, doc }) as const;

/** Columns in their stored order. Ids are u64 here and 16 hex digits outside. */
export const SPAN_COLUMNS = {
  span_id: column("id", "identity of the span; the same when a recording is replayed"),
  parent_span_id: column("id?", "the winning parent, absent for roots and unlinked spans"),
  link_evidence: column("label", "evidence of the link to the parent; empty without parent"),
  link_confidence: column("f32", "probability that the link is right, 0 to 1"),
  revision: column("u32", "0 for the first emission; the highest revision of a span wins"),
  kind: column("enum", "client, server, producer, consumer or internal"),
  observer: column("enum", "where it was seen: process, nic or app"),
  protocol: column("label", "application protocol: http, redis, postgresql, mysql, dns …"),
  name: column("label", "low-cardinality name, as OpenTelemetry names spans"),
  request_type: column("label", "the protocol's word for the operation: GET, SELECT, A …"),
  resource: column("text", "what was asked for: path, statement, key, question name"),
  domain: column("label", "who was asked by name: host, database, exchange"),
  endpoint: column("label", "low-cardinality form of the resource"),
  response_code: column("i32?", "the protocol's response code"),
  status: column("enum", "ok, client_error, server_error, timeout, reset or unknown"),
  shape: column("enum", "exchange, one_way, response_only or open"),
  request_id: column("text?", "the protocol's own id: stream, correlation, transaction"),
  start_unix_ns: column("unix_ns", "start of the call that moved the first request byte"),
  end_unix_ns: column("unix_ns", "end of the call that moved the last response byte"),
  first_byte_unix_ns: column("unix_ns?", "first byte of the response"),
  host: column("label", "host name"),
  pid: column("u32", "process id (thread group) on the host"),
  tid: column("u32", "thread that moved the first request byte"),
  process: column("label", "process name (comm)"),
  exe: column("label", "path of the executable"),
  service: column("label", "name of the service, by the service name rules"),
  container: column("label", "container id, 12 digits, empty outside of containers"),
  cgroup_id: column("u64", "id of the cgroup, 0 when unknown"),
  netns: column("u32", "inode number of the network namespace"),
  transport: column("enum", "tcp, udp or unix"),
  local: column("label", "address of the observed end"),
  peer: column("label", "address of the other end"),
  socket_id: column("u64", "socket cookie"),
  peer_socket_id: column("u64", "unix sockets: cookie of the other end, else 0"),
  request_offset: column("u64", "stream offset of the first request byte"),
  request_seq: column("u32?", "TCP sequence number of the first request byte"),
  response_seq: column("u32?", "TCP sequence number of the first response byte"),
  trace_id_header: column("text?", "trace id carried in the bytes, hex"),
  parent_id_header: column("text?", "parent span id carried in the bytes, hex"),
  x_request_id: column("text?", "request id carried in the bytes"),
  message_key: column(
    "id?",
    "messages of brokers: a hash of id or content, odd where delivered, even where published",
  ),
  bytes_request: column("u64", "bytes of the request on this socket"),
  bytes_response: column("u64", "bytes of the response on this socket"),
  is_tls: column("bool", "the bytes were encrypted on the wire"),
  clipped: column("bool", "part of a message was not captured"),
  gaps: column("label", "what hides part of the connection: older, sendfile, splice, io_uring"),
  attributes: column("attributes", "all protocol fields by name, packed"),
} as const satisfies Record<string, Column>;

export type SpanColumn = keyof typeof SPAN_COLUMNS;

interface TypeOf {
  "id": bigint;
  "id?": bigint | null;
  "unix_ns": bigint;
  "unix_ns?": bigint | null;
  "u32": number;
  "u32?": number | null;
  "i32?": number | null;
  "u64": bigint | number;
  "f32": number;
  "bool": boolean;
  "enum": string;
  "label": string;
  "text": string;
  "text?": string | null;
  "attributes": Attributes;
}

interface Narrowed {
  kind: SpanKind | "";
  observer: Observer;
  status: Status;
  shape: Shape;
  transport: "tcp" | "udp" | "unix";
  link_evidence: Evidence | "";
  bytes_request: number;
  bytes_response: number;
  request_offset: number;
}

/** One exchange as observed at one point. Field names are column names, everywhere. */
export type Span = {
  readonly [C in SpanColumn]: C extends keyof Narrowed ? Narrowed[C]
    : TypeOf[(typeof SPAN_COLUMNS)[C]["type"]];
};

/**
 * A span as of now, with its possible parents. A later revision of the same span_id replaces it.
 */
export interface SpanRevision {
  readonly span: Span;
  readonly candidates: readonly Candidate[];
}

/** 16 lower-case hex digits, as ids are written outside of the store. */
export function formatId(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}
