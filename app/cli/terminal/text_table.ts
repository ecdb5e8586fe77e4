// SPDX-License-Identifier: Apache-2.0
// Rows as a table of aligned columns, for terminals and plain files alike.

import { cellsOf, fit, harmless } from "./cell_text.ts";
import type { Paint } from "./style.ts";

export interface TableColumn {
  readonly title: string;
  readonly align: "left" | "right";
  /** Cells at most; longer texts end in an ellipsis. */
  readonly cellsMax?: number;
}

/** Lines without line ends: a header, a rule, the rows. */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string[] {
  const cells = rows.map((row) => columns.map((_, i) => harmless(row[i] ?? "")));
  const widths = columns.map(({ title, cellsMax }, i) => {
    const widest = cells.reduce((most, row) => Math.max(most, cellsOf(row[i] ?? "")), 0);
    return Math.max(cellsOf(title), Math.min(widest, cellsMax ?? Infinity));
  });
  const line = (texts: readonly string[]) =>
    columns.map(({ align }, i) => fit(texts[i] ?? "", widths[i] ?? 0, align)).join("  ").trimEnd();
  return [
    paint("bold", line(columns.map(({ title }) => title))),
    paint("dim", widths.map((width) => "─".repeat(width)).join("  ")),
    ...cells.map(line),
  ];
}
