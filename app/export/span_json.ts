// SPDX-License-Identifier: Apache-2.0
// A span as one line of JSON: the keys are the column names, ids are hex, times decimal strings.

import { hashOfLong } from "../../engine/hash_table.ts";
import { type ColumnType, formatId, type Span, SPAN_COLUMNS } from "../../model/span.ts";

/** The line of a span that belongs to no assembled trace yet; `parent_span_id` only when joined. */
export function spanLine(span: Span): string {
  const parent = span.parent_span_id;
  const link = parent === null ? "" : `,"parent_span_id":"${formatId(parent)}"`;
  return `{"span_id":"${formatId(span.span_id)}"${link}${columnsOf(span)}}\n`;
}

/** The line of a span of an assembled trace: as above with `trace_id`, and null for no parent. */
export function tracedSpanLine(span: Span, traceId: string): string {
  const parent = span.parent_span_id;
  const link = parent === null ? "null" : `"${formatId(parent)}"`;
  return `{"trace_id":"${traceId}","span_id":"${formatId(span.span_id)}",` +
    `"parent_span_id":${link}${columnsOf(span)}}\n`;
}

function columnsOf(span: Span): string {
  let text = "";
  for (const write of beforeEnd) text += write(span);
  text += endText(span);
  for (const write of afterEnd) text += write(span);
  return text;
}

/** Counts that JSON readers take as numbers; other 64-bit columns are ids and go as strings. */
const counts: readonly string[] = ["bytes_request", "bytes_response", "request_offset"];

const writers: readonly ((span: Span) => string)[] = Object.entries(SPAN_COLUMNS)
  .filter(([name]) => name !== "span_id" && name !== "parent_span_id")
  .map(([name, { type }]) => {
    const key = `,${JSON.stringify(name)}:`;
    const write = counts.includes(name) ? String : writerOf(type);
    return (span) => {
      const value: unknown = span[name as keyof Span];
      return value === null || value === undefined ? `${key}null` : key + write(value);
    };
  });

/** The columns from host to peer_socket_id tell who it was and on which socket. */
const written = Object.keys(SPAN_COLUMNS)
  .filter((name) => name !== "span_id" && name !== "parent_span_id");
const endFrom = written.indexOf("host"), endTo = written.indexOf("peer_socket_id") + 1;
const beforeEnd = writers.slice(0, endFrom);
const ofEnd = writers.slice(endFrom, endTo);
const afterEnd = writers.slice(endTo);

function writerOf(type: ColumnType): (value: unknown) => string {
  switch (type) {
    case "id":
    case "id?":
      return (value) => typeof value === "bigint" ? `"${formatId(value)}"` : "null";
    case "unix_ns":
    case "unix_ns?":
    case "u64":
      return (value) => `"${value}"`;
    case "f32":
      return (value) => String(Number(Number(value).toFixed(4)));
    default:
      return (value) => JSON.stringify(value);
  }
}

/** A power of two: so many connections have their text kept, by a hash of the socket. */
const ENDS_KEPT = 1_024;

interface End {
  readonly span: Span;
  readonly text: string;
}

const ends: (End | undefined)[] = new Array(ENDS_KEPT).fill(undefined);

/** A third of the line, and the same for all spans of a connection: made once while it lasts. */
function endText(span: Span): string {
  const place = hashOfLong(BigInt(span.socket_id)) & (ENDS_KEPT - 1);
  const known = ends[place];
  if (known !== undefined && isSameEnd(known.span, span)) return known.text;
  let text = "";
  for (const write of ofEnd) text += write(span);
  ends[place] = { span, text };
  return text;
}

function isSameEnd(a: Span, b: Span): boolean {
  return a.socket_id === b.socket_id && a.peer_socket_id === b.peer_socket_id &&
    a.host === b.host && a.pid === b.pid && a.tid === b.tid && a.process === b.process &&
    a.exe === b.exe && a.service === b.service && a.container === b.container &&
    a.cgroup_id === b.cgroup_id && a.netns === b.netns && a.transport === b.transport &&
    a.local === b.local && a.peer === b.peer;
}
