// SPDX-License-Identifier: Apache-2.0
// Spans as the pipeline made them, from the result of a `SELECT * FROM spans …`.

import { type Span, SPAN_COLUMNS, type SpanColumn } from "../../model/span.ts";
import { unpackAttributes } from "./attributes.ts";
import type { Result } from "./result.ts";

/** The result may hold further columns; one that lacks a column of spans throws. */
export function readSpans(result: Result): Span[] {
  const columns = Object.entries(SPAN_COLUMNS).map(([name, { type }]) => {
    const values = result.column(name);
    if (type === "attributes") {
      return [name, (row: number) => unpackAttributes(String(values[row]))] as const;
    }
    if (COUNTS.has(name)) return [name, (row: number) => Number(values[row])] as const;
    return [name, (row: number) => values[row]] as const;
  });
  return Array.from({ length: result.rowCount }, (_, row) => {
    const span: Partial<Record<SpanColumn, unknown>> = {};
    for (const [name, read] of columns) span[name as SpanColumn] = read(row);
    return span as Span;
  });
}

/** 64 bits in the store, but counts below 2^53, which spans hold as numbers. */
const COUNTS: ReadonlySet<string> = new Set<SpanColumn>([
  "bytes_request",
  "bytes_response",
  "request_offset",
]);
