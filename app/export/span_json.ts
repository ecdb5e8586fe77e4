// SPDX-License-Identifier: Apache-2.0
// A span as one line of JSON: the keys are the column names, ids are hex, times decimal strings.

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
  for (const write of writers) text += write(span);
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
