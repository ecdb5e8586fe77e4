// SPDX-License-Identifier: Apache-2.0
// The SQL of one step of the search: spans of a time range that hold any of the keys.

import type { SpanColumn } from "../../model/span.ts";
import { POSSIBLE_FROM } from "./assembly_rules.ts";
import type { SearchKeys, TimeRange } from "./span_query.ts";

/** A SELECT of some columns over `table`. It is pruned by time first. */
export function relatedSql(
  keys: SearchKeys,
  range: TimeRange,
  rowsMax: number,
  columns = "*",
  table = "spans",
): string {
  const found = [
    oneOf("span_id", keys.span_id),
    and(oneOf("parent_span_id", keys.parent_span_id), `link_confidence >= ${POSSIBLE_FROM}`),
    oneOf("request_seq", keys.request_seq),
    oneOf("trace_id_header", keys.trace_id_header.map(quoted)),
    oneOf("x_request_id", keys.x_request_id.map(quoted)),
    and(
      oneOf("message_key", keys.message_key),
      "(message_key % 2 = 0 OR parent_span_id IS NULL)",
    ),
    and(oneOf("request_id", keys.request_id.map(quoted)), "transport = 'udp'"),
    unixPlaces(keys),
  ].filter((condition) => condition !== "");
  const matches = found.length === 0 ? "false" : found.join("\n    OR ");
  return `SELECT ${columns} FROM ${table}
  WHERE start_unix_ns BETWEEN ${range.fromNs} AND ${range.toNs}
  AND (${matches})
  LIMIT ${rowsMax}`;
}

/** A SELECT of the columns `id`, `parent`, `seq` and `start_us`, see LinkColumns. */
export function linksSql(range: TimeRange, rowsMax: number, table = "spans"): string {
  return `SELECT span_id AS id, request_seq AS seq,
    CASE WHEN link_confidence >= ${POSSIBLE_FROM} THEN parent_span_id END AS parent,
    ((start_unix_ns - ${range.fromNs}) // 1000)::DOUBLE AS start_us
  FROM ${table}
  WHERE start_unix_ns BETWEEN ${range.fromNs} AND ${range.toNs}
  LIMIT ${rowsMax + 1}`;
}

function oneOf(column: SpanColumn, values: readonly (bigint | number | string)[]): string {
  return values.length === 0 ? "" : `${column} IN (${values.join(", ")})`;
}

function and(condition: string, further: string): string {
  return condition === "" ? "" : `(${condition} AND ${further})`;
}

function unixPlaces({ unix }: SearchKeys): string {
  if (unix.length === 0) return "";
  const places = unix.map(({ reader, offset }) =>
    `(request_offset = ${offset} AND (socket_id = ${reader} OR peer_socket_id = ${reader}))`
  );
  return `(transport = 'unix' AND (${places.join(" OR ")}))`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
