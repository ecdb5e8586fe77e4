// SPDX-License-Identifier: Apache-2.0
// Rows that `accuracy --json` printed, as the tables of the documentation: one line per program,
// one column per number of clients. Of cells measured twice the last one counts.

import { PROGRAMS } from "./programs.ts";
import { mergedShareMax } from "./table.ts";

interface Row {
  readonly program: string;
  readonly clients: number;
  readonly calls: number;
  readonly right: number;
  readonly wrong: number;
  readonly merged: number;
  readonly deciles: readonly {
    readonly links: number;
    readonly right: number | null;
    readonly confidence: number | null;
  }[];
}

export function markdownTables(jsonLines: string): string {
  const rows = new Map<string, Row>();
  for (const line of jsonLines.split("\n")) {
    if (!line.startsWith("{")) continue;
    const row: Row = JSON.parse(line);
    rows.set(`${row.program} ${row.clients}`, row);
  }
  const cells = [...rows.values()];
  const sections = [callTable(cells), totals(cells), claimTable(cells)];
  return sections.join("\n\n") + "\n";
}

function callTable(cells: readonly Row[]): string {
  const columns = [...new Set(cells.map(({ clients }) => clients))].sort((a, b) => a - b);
  const measured = PROGRAMS.filter(({ name }) => cells.some(({ program }) => program === name));
  return table([
    ["program", ...columns.map((clients) => `${clients} clients`)],
    ...measured.map(({ name, what }) => [
      `${what} (\`${name}\`)`,
      ...columns.map((clients) =>
        cellText(cells.find((cell) => cell.program === name && cell.clients === clients))
      ),
    ]),
  ]);
}

function cellText(cell: Row | undefined): string {
  if (cell === undefined) return "–";
  const wrong = cell.wrong + cell.merged;
  return percent(cell.right, cell.calls) + (wrong === 0 ? "" : `, ${wrong} wrong`);
}

function totals(cells: readonly Row[]): string {
  const merged = sum(cells, (cell) => cell.merged);
  const drawn = sum(cells, drawnLinks);
  const above = cells.filter((cell) => cell.merged > mergedShareMax * drawnLinks(cell));
  return `Of ${count(drawn)} links drawn, ${count(merged)} lead into another trace: ` +
    `${percent(merged, drawn, 2)}. Cells with more than 0.1 %: ${above.length} of ${cells.length}.`;
}

function claimTable(cells: readonly Row[]): string {
  const lines = [["claimed", "links", "right"]];
  for (let tenth = 9; tenth >= 0; tenth--) {
    const parts = cells.map(({ deciles }) => deciles[tenth]);
    const links = sum(parts, (part) => part?.links ?? 0);
    if (links === 0) continue;
    const claimed = sum(parts, (part) => (part?.links ?? 0) * (part?.confidence ?? 0));
    const right = sum(parts, (part) => (part?.links ?? 0) * (part?.right ?? 0));
    lines.push([percent(claimed, links), `${links}`, percent(right, links)]);
  }
  return table(lines);
}

const drawnLinks = ({ right, wrong, merged }: Row): number => right + wrong + merged;

const count = (value: number): string => value.toLocaleString("en");

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}

function percent(part: number, whole: number, digits = 1): string {
  return whole === 0 ? "–" : `${(100 * part / whole).toFixed(digits)} %`;
}

function table(lines: readonly (readonly string[])[]): string {
  const [head = [], ...rest] = lines;
  const rule = head.map(() => "---");
  return [head, rule, ...rest].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
