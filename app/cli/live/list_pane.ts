// SPDX-License-Identifier: Apache-2.0
// One list of the live view: a heading, column titles, and the rows around the chosen one.

import { fit, harmless } from "../terminal/cell_text.ts";
import type { Paint } from "../terminal/style.ts";
import type { ListColumn } from "./list_columns.ts";
import type { Sorting } from "./view_state.ts";

export interface ListPane<Row> {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly columns: readonly ListColumn<Row>[];
  readonly sorting: Sorting;
  /** Index of the chosen row, -1 for none. */
  readonly chosen: number;
  readonly isFocused: boolean;
}

export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly ListColumn<Row>[],
  { column, descending }: Sorting,
): Row[] {
  const key = columns[column]?.key ?? (() => 0);
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    return left < right ? -sign : left > right ? sign : 0;
  });
}

/** Exactly `height` lines of `width` cells; none when there is no room. */
export function listLines<Row>(
  pane: ListPane<Row>,
  height: number,
  width: number,
  paint: Paint,
): string[] {
  if (height <= 0) return [];
  const columns = pane.columns.filter(({ fromWidth }) => width >= fromWidth);
  const room = Math.max(0, height - 2);
  const from = Math.max(0, Math.min(pane.chosen - room + 1, pane.rows.length - room));
  const shown = pane.rows.slice(from, from + room);
  const heading = `${pane.title} ${pane.rows.length > 0 ? `(${pane.rows.length})` : ""}`;
  const lines = [
    paint(pane.isFocused ? "cyan" : "dim", fit(` ${heading}`, width)),
    titleLine(pane, columns, width, paint),
    ...shown.map((row, i) => rowLine(row, from + i === pane.chosen, columns, width, paint)),
  ];
  if (pane.rows.length === 0) lines.push(paint("dim", fit("   nothing yet", width)));
  while (lines.length < height) lines.push("");
  return lines.slice(0, height);
}

function titleLine<Row>(
  { columns: all, sorting }: ListPane<Row>,
  columns: readonly ListColumn<Row>[],
  width: number,
  paint: Paint,
): string {
  const sorted = all[sorting.column];
  const cells = columns.map((column) => {
    const mark = column !== sorted ? "" : sorting.descending ? "▼" : "▲";
    return fit(column.title + mark, cellsFor(column, columns, width), column.align);
  });
  return paint("bold", fit(` ${cells.join("  ")}`, width));
}

function rowLine<Row>(
  row: Row,
  isChosen: boolean,
  columns: readonly ListColumn<Row>[],
  width: number,
  paint: Paint,
): string {
  const cells = columns.map((column) => {
    const cell = fit(harmless(column.text(row)), cellsFor(column, columns, width), column.align);
    const style = column.style?.(row);
    return style === undefined || isChosen ? cell : paint(style, cell);
  });
  const line = ` ${cells.join("  ")}`;
  return isChosen ? paint("reverse", fit(line, width)) : line;
}

function cellsFor<Row>(
  column: ListColumn<Row>,
  columns: readonly ListColumn<Row>[],
  width: number,
): number {
  if (column.cells > 0) return column.cells;
  const others = columns.reduce((sum, { cells }) => sum + cells, 0);
  return Math.max(4, width - 2 - others - 2 * (columns.length - 1));
}
