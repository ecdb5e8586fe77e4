// SPDX-License-Identifier: Apache-2.0
// A service map as text: a tree of boxes with an arrow to each, and the figures of the arrow.

import { cellsOf, fit, harmless } from "../cli/terminal/cell_text.ts";
import { durationText, rateText, shareText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";
import type { ServiceEdge } from "./service_map.ts";

/** What stands for callers that were not seen. */
const OUTSIDE = "clients";
const NAME_CELLS_MAX = 32;

interface Line {
  readonly tree: string;
  readonly figures: readonly string[];
}

/** Lines of the map; rates are calls divided by `seconds`. */
export function serviceMapLines(
  edges: readonly ServiceEdge[],
  seconds: number,
  paint: Paint,
): string[] {
  const lines: Line[] = [];
  const drawn = new Set<string>();
  for (const root of rootsOf(edges)) {
    lines.push({ tree: paint("dim", root === "" ? OUTSIDE : harmless(root)), figures: [] });
    drawCalls(root, "", { edges, seconds, lines, drawn, paint });
  }
  return align(lines, paint);
}

/** The unseen callers, and services that nobody calls. Of a mere circle, any one. */
function rootsOf(edges: readonly ServiceEdge[]): string[] {
  const called = new Set(edges.map(({ to }) => to));
  const roots = new Set(edges.map(({ from }) => from).filter((from) => !called.has(from)));
  const [first] = edges;
  return roots.size === 0 && first !== undefined ? [first.from] : [...roots].sort();
}

interface Drawing {
  readonly edges: readonly ServiceEdge[];
  readonly seconds: number;
  readonly lines: Line[];
  /** Services whose calls are drawn already. */
  readonly drawn: Set<string>;
  readonly paint: Paint;
}

function drawCalls(from: string, indent: string, drawing: Drawing): void {
  const { edges, seconds, lines, drawn, paint } = drawing;
  drawn.add(from);
  const calls = edges.filter((edge) => edge.from === from);
  for (const [i, edge] of calls.entries()) {
    const isLast = i === calls.length - 1;
    const [arrow, below] = isLast ? ["└──▶ ", "     "] : ["├──▶ ", "│    "];
    const name = fit(harmless(edge.to), Math.min(NAME_CELLS_MAX, cellsOf(harmless(edge.to))));
    const rule = "─".repeat(cellsOf(name) + 2);
    const hasCalls = !drawn.has(edge.to) && edges.some((other) => other.from === edge.to);
    const foot = hasCalls ? `┬${rule.slice(1)}` : rule;
    lines.push(
      { tree: `${indent}│    ┌${rule}┐`, figures: [] },
      { tree: `${indent}${arrow}│ ${paint("bold", name)} │`, figures: figuresOf(edge, seconds) },
      { tree: `${indent}${below}└${foot}┘`, figures: [] },
    );
    if (hasCalls) drawCalls(edge.to, `${indent}${below} `, drawing);
  }
}

function figuresOf(edge: ServiceEdge, seconds: number): string[] {
  return [
    edge.protocol,
    `${rateText(edge.calls / seconds)}/s`,
    `p50 ${durationText(edge.p50Ns)}`,
    `p99 ${durationText(edge.p99Ns)}`,
    edge.errors === 0 ? "" : `${shareText(edge.errors / edge.calls)} failed`,
  ];
}

function align(lines: readonly Line[], paint: Paint): string[] {
  const treeCells = Math.max(0, ...lines.map(({ tree }) => visibleCells(tree)));
  const widths = [0, 1, 2, 3].map((i) =>
    Math.max(0, ...lines.map(({ figures }) => cellsOf(figures[i] ?? "")))
  );
  return lines.map(({ tree, figures }) => {
    if (figures.length === 0) return tree;
    const [protocol = "", rate = "", p50 = "", p99 = "", failed = ""] = figures;
    const cells = [
      paint("cyan", fit(protocol, widths[0] ?? 0)),
      fit(rate, widths[1] ?? 0, "right"),
      fit(p50, widths[2] ?? 0),
      fit(p99, widths[3] ?? 0),
      paint("red", failed),
    ];
    return `${tree}${" ".repeat(treeCells - visibleCells(tree))}  ${cells.join("  ")}`.trimEnd();
  });
}

function visibleCells(text: string): number {
  // deno-lint-ignore no-control-regex -- our own colours take no cells
  return cellsOf(text.replace(/\x1b\[\d+m/g, ""));
}
