// SPDX-License-Identifier: Apache-2.0
// Spans as the pipeline made them, from the result of a `SELECT * FROM spans …`.

import { type ColumnType, type Span, SPAN_COLUMNS, type SpanColumn } from "../../model/span.ts";
import { unpackAttributes } from "./attributes.ts";
import type { Result } from "./result.ts";

/** The result may hold further columns; one that lacks a column of spans throws. */
export function readSpans(result: Result): Span[] {
  const columns = Object.entries(SPAN_COLUMNS).map(([name, { type }]) =>
    [name as SpanColumn, readerOf(name, type, result.column(name))] as const
  );
  const blank = blankSpan();
  return Array.from({ length: result.rowCount }, (_, row) => {
    const span = { ...blank };
    for (const [name, read] of columns) span[name] = read(row);
    return span as Span;
  });
}

/**
 * A span with all of its keys, which copies keep. Parsed, because an object that gets so many keys
 * one by one is kept as a hash table by V8, of 2 KB more.
 */
function blankSpan(): Record<SpanColumn, unknown> {
  const keys = Object.keys(SPAN_COLUMNS).map((name) => `${JSON.stringify(name)}:null`);
  return JSON.parse(`{${keys.join(",")}}`);
}

function readerOf(
  name: string,
  type: ColumnType,
  values: ArrayLike<unknown>,
): (row: number) => unknown {
  switch (type) {
    case "attributes":
      return (row) => unpackAttributes(String(values[row]));
    case "enum":
    case "label":
      return sharedTexts(values);
    default:
      if (COUNTS.has(name)) return (row) => Number(values[row]);
      return (row) => values[row];
  }
}

/** Of columns with few values: each text once, not once for every row. */
function sharedTexts(values: ArrayLike<unknown>): (row: number) => unknown {
  const known = new Map<unknown, unknown>();
  return (row) => {
    const text = values[row];
    const first = known.get(text);
    if (first === undefined && known.size < SHARED_MAX) known.set(text, text);
    return first ?? text;
  };
}

const SHARED_MAX = 4_096;

/** 64 bits in the store, but counts below 2^53, which spans hold as numbers. */
const COUNTS: ReadonlySet<string> = new Set<SpanColumn>([
  "bytes_request",
  "bytes_response",
  "request_offset",
]);
