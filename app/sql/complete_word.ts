// SPDX-License-Identifier: Apache-2.0
// Completion at the prompt of `sql`: tables after FROM and JOIN, else columns and words of SQL.

import type { TableDoc } from "../../queries/store/schema.ts";

const WORDS = [
  ...["SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "AND", "OR", "NOT", "AS", "DESC"],
  ...[
    "JOIN",
    "LEFT JOIN",
    "USING",
    "HAVING",
    "DISTINCT",
    "count(*)",
    "avg(",
    "max(",
    "min(",
    "sum(",
  ],
  ...["quantile_cont(", "hex_id(", "CASE WHEN", "LIKE", "IN", "IS NULL", "BETWEEN", "WITH"],
];
const DOT_COMMANDS = [".tables", ".schema", ".help", ".quit"];

/** What may stand for the last word of the line, and that word: as node:readline wants it. */
export function completeWord(
  line: string,
  tables: readonly Pick<TableDoc, "name" | "columns">[],
): [hits: string[], word: string] {
  const word = /[\w.(*]*$/.exec(line)?.[0] ?? "";
  const before = line.slice(0, line.length - word.length);
  const names = tables.map(({ name }) => name);
  const choices = /^\s*$/.test(before) && word.startsWith(".")
    ? DOT_COMMANDS
    : /(\b(from|join|describe|summarize)|\.schema)\s+$/i.test(before)
    ? names
    : [...columnsAsked(line, tables), ...names, ...WORDS];
  const start = word.toLowerCase();
  const hits = [...new Set(choices)].filter((choice) => choice.toLowerCase().startsWith(start));
  return [hits, word];
}

/** The columns of the tables that the line names; of all tables, when it names none. */
function columnsAsked(
  line: string,
  tables: readonly Pick<TableDoc, "name" | "columns">[],
): string[] {
  const named = tables.filter(({ name }) => new RegExp(`\\b${name}\\b`, "i").test(line));
  return (named.length > 0 ? named : tables)
    .flatMap(({ columns }) => columns.map(({ name }) => name));
}
