// SPDX-License-Identifier: Apache-2.0
// A span as one line of JSON: the keys are the column names, ids are hex, times decimal strings.

import { hashOfLong } from "../../engine/hash_table.ts";
import { type ColumnType, type Span, SPAN_COLUMNS } from "../../model/span.ts";
import { LineBytes } from "./line_bytes.ts";

/** The line of a span that belongs to no assembled trace yet; `parent_span_id` only when joined. */
export function writeSpanLine(span: Span, line: LineBytes): void {
  line.raw('{"span_id":"');
  line.hex(span.span_id);
  line.raw('"');
  if (span.parent_span_id !== null) writeParent(span.parent_span_id, line);
  writeColumns(span, line);
}

/** The line of a span of an assembled trace: as above with `trace_id`, and null for no parent. */
export function writeTracedSpanLine(span: Span, traceId: string, line: LineBytes): void {
  line.raw('{"trace_id":"');
  line.raw(traceId);
  line.raw('","span_id":"');
  line.hex(span.span_id);
  line.raw('"');
  if (span.parent_span_id !== null) writeParent(span.parent_span_id, line);
  else line.raw(',"parent_span_id":null');
  writeColumns(span, line);
}

/** The same as text, for few spans. */
export function spanLine(span: Span): string {
  const line = new LineBytes();
  writeSpanLine(span, line);
  return line.text();
}

function writeParent(id: bigint, line: LineBytes): void {
  line.raw(',"parent_span_id":"');
  line.hex(id);
  line.raw('"');
}

type Write = (span: Span, line: LineBytes) => void;

function writeColumns(span: Span, line: LineBytes): void {
  for (const write of beforeEnd) write(span, line);
  line.append(endBytes(span));
  for (const write of afterEnd) write(span, line);
  line.raw("}\n");
}

/** Counts that JSON readers take as numbers; other 64-bit columns are ids and go as strings. */
const counts: readonly string[] = ["bytes_request", "bytes_response", "request_offset"];

/** The columns after the ids, in their stored order. */
const names = Object.keys(SPAN_COLUMNS)
  .filter((name) => name !== "span_id" && name !== "parent_span_id") as (keyof Span)[];
const writers: readonly Write[] = names.map((name) => {
  const key = new TextEncoder().encode(`,"${name}":`);
  const { type } = SPAN_COLUMNS[name];
  const write = counts.includes(name) ? writeNumber : writerOf(type);
  return (span, line) => {
    line.append(key);
    const value: unknown = span[name];
    if (value === null || value === undefined) line.raw("null");
    else write(value, line);
  };
});

/** The columns from host to peer_socket_id tell who it was and on which socket. */
const endFrom = names.indexOf("host"), endTo = names.indexOf("peer_socket_id") + 1;
const beforeEnd = writers.slice(0, endFrom);
const ofEnd = writers.slice(endFrom, endTo);
const afterEnd = writers.slice(endTo);

type WriteValue = (value: unknown, line: LineBytes) => void;

function writerOf(type: ColumnType): WriteValue {
  switch (type) {
    case "id":
    case "id?":
      return writeId;
    case "unix_ns":
    case "unix_ns?":
    case "u64":
      return writeLong;
    case "f32":
      return writeFraction;
    case "u32":
    case "u32?":
    case "i32?":
      return writeNumber;
    default:
      return writeAny;
  }
}

function writeId(value: unknown, line: LineBytes): void {
  if (typeof value !== "bigint") return line.raw("null");
  line.raw('"');
  line.hex(value);
  line.raw('"');
}

/** As text, because readers of JSON lose digits of 64 bits. */
function writeLong(value: unknown, line: LineBytes): void {
  line.raw('"');
  if (typeof value === "bigint" && value >= 0n) line.long(value);
  else line.raw(`${value}`);
  line.raw('"');
}

function writeNumber(value: unknown, line: LineBytes): void {
  line.number(Number(value));
}

function writeFraction(value: unknown, line: LineBytes): void {
  const number = Number(value);
  line.number(Number.isInteger(number) ? number : Number(number.toFixed(4)));
}

function writeAny(value: unknown, line: LineBytes): void {
  if (typeof value === "string") line.quoted(value);
  else if (typeof value === "boolean") line.raw(value ? "true" : "false");
  else line.raw(JSON.stringify(value));
}

/** A power of two: so many connections have their bytes kept, by a hash of the socket. */
const ENDS_KEPT = 1_024;

interface End {
  readonly span: Span;
  readonly bytes: Uint8Array;
}

const ends: (End | undefined)[] = new Array(ENDS_KEPT).fill(undefined);

/** A third of the line, and the same for all spans of a connection: made once while it lasts. */
function endBytes(span: Span): Uint8Array {
  const place = hashOfLong(BigInt(span.socket_id)) & (ENDS_KEPT - 1);
  const known = ends[place];
  if (known !== undefined && isSameEnd(known.span, span)) return known.bytes;
  const line = new LineBytes();
  for (const write of ofEnd) write(span, line);
  const bytes = line.written().slice();
  ends[place] = { span, bytes };
  return bytes;
}

function isSameEnd(a: Span, b: Span): boolean {
  return a.socket_id === b.socket_id && a.peer_socket_id === b.peer_socket_id &&
    a.host === b.host && a.pid === b.pid && a.tid === b.tid && a.process === b.process &&
    a.exe === b.exe && a.service === b.service && a.container === b.container &&
    a.cgroup_id === b.cgroup_id && a.netns === b.netns && a.transport === b.transport &&
    a.local === b.local && a.peer === b.peer;
}
