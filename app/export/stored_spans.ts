// SPDX-License-Identifier: Apache-2.0
// The spans of a store as spans again: rows of a query, column by column.

import { type ColumnType, type Span, SPAN_COLUMNS, type SpanColumn } from "../../model/span.ts";
import { unpackAttributes } from "../../queries/store/attributes.ts";
import type { Result, Value } from "../../queries/store/result.ts";
import type { Store } from "../../queries/store/store.ts";

/** Unix time; the end is not included. */
export interface StoredRange {
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
}

/** Rows of one query: bounds the memory beside the spans themselves. */
const PAGE_ROWS = 50_000;

/** All spans that start within the range, in order of start. */
export async function readStoredSpans(store: Store, range: StoredRange = {}): Promise<Span[]> {
  const spans: Span[] = [];
  const since = range.sinceNs ?? 0n;
  const until = range.untilNs ?? 2n ** 63n - 1n;
  const columns = Object.keys(SPAN_COLUMNS).join(", ");
  for (let offset = 0;; offset += PAGE_ROWS) {
    const page = await store.query(
      `SELECT ${columns} FROM spans WHERE start_unix_ns >= ? AND start_unix_ns < ?
       ORDER BY start_unix_ns, span_id LIMIT ${PAGE_ROWS} OFFSET ${offset}`,
      [since, until],
    );
    spans.push(...spansOf(page));
    if (page.rowCount < PAGE_ROWS) return spans;
  }
}

/** The spans of a result that has all columns of a span. */
export function spansOf(result: Pick<Result, "column" | "rowCount">): Span[] {
  const readers = Object.entries(SPAN_COLUMNS).map(([name, { type }]) => ({
    name: name as SpanColumn,
    values: result.column(name),
    read: readerOf(name, type),
  }));
  return Array.from({ length: result.rowCount }, (_, row) => {
    const cells = readers.map(({ name, values, read }) => [name, read(values[row] ?? null)]);
    return Object.fromEntries(cells) as Span;
  });
}

/** Counts are numbers in the model although they are stored as 64-bit integers. */
const COUNTS: readonly string[] = ["bytes_request", "bytes_response", "request_offset"];

function readerOf(name: string, type: ColumnType): (value: Value) => unknown {
  if (COUNTS.includes(name)) return Number;
  switch (type) {
    case "attributes":
      return (value) => unpackAttributes(String(value));
    case "u32":
    case "f32":
      return Number;
    case "u32?":
    case "i32?":
      return (value) => value === null ? null : Number(value);
    default:
      return (value) => value;
  }
}
