// SPDX-License-Identifier: Apache-2.0
// The rows of a query as a table, as JSON objects, or as comma-separated values.

import type { Paint } from "../cli/terminal/style.ts";
import { tableLines } from "../cli/terminal/text_table.ts";
import type { Result, Value } from "../../queries/store/result.ts";

export type RowFormat = "table" | "json" | "csv";

/** Cells of one column of a table at most: statements and paths may be long. */
const CELLS_MAX = 80;

/** As much of a result as printing needs. */
export type Rows = Pick<Result, "columns" | "rowCount" | "rows">;

/** The text with a line end after every row. */
export function rowsText(result: Rows, format: RowFormat, paint: Paint): string {
  const names = result.columns.map(({ name }) => name);
  const rows = result.rows();
  switch (format) {
    case "json":
      return rows.map((row) => `${JSON.stringify(row, jsonValue)}\n`).join("");
    case "csv": {
      const lines = rows.map((row) => names.map((name) => csvCell(row[name] ?? null)).join(","));
      return `${[names.map(csvCell).join(","), ...lines].join("\n")}\n`;
    }
    case "table": {
      const columns = result.columns.map(({ name, kind }) => ({
        title: name,
        align: kind === "number" || kind === "integer" ? "right" as const : "left" as const,
        cellsMax: CELLS_MAX,
      }));
      const cells = rows.map((row) => names.map((name) => cellText(row[name] ?? null)));
      const count = `${result.rowCount} ${result.rowCount === 1 ? "row" : "rows"}`;
      return `${[...tableLines(columns, cells, paint), paint("dim", count)].join("\n")}\n`;
    }
  }
}

function cellText(value: Value): string {
  if (value === null) return "";
  if (typeof value === "number" && !Number.isInteger(value)) return String(+value.toPrecision(6));
  return typeof value === "object" ? JSON.stringify(value, jsonValue) : String(value);
}

/** Integers beyond what JSON readers keep exactly go as text. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function csvCell(value: Value): string {
  const text = value === null
    ? ""
    : typeof value === "object"
    ? JSON.stringify(value, jsonValue)
    : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
