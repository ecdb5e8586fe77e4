// SPDX-License-Identifier: Apache-2.0
// The cells as a table for people, and as lines of JSON for programs.

import type { Cell } from "./cell.ts";
import type { Decile, SpanScore } from "./score_spans.ts";

/** Drawn links into another trace, at most, of all drawn ones. */
export const mergedShareMax = 0.001;

const columns: readonly (readonly [title: string, text: (cell: Cell) => string])[] = [
  ["program", ({ program }) => program],
  ["clients", ({ clients }) => `${clients}`],
  ["req/s", ({ requestsPerSecond }) => `${requestsPerSecond}`],
  ["spans", ({ score }) => `${score.calls}`],
  ["right", ({ score }) => `${score.right}`],
  ["wrong", ({ score }) => `${score.wrong + score.merged}`],
  ["uncertain", ({ score }) => `${score.uncertain}`],
  ["missing", ({ score }) => `${score.missing}`],
  ["unseen", ({ score }) => `${score.unseen}`],
  ["span acc.", ({ score }) => percent(score.right, score.calls)],
  ["trace acc.", ({ score }) => percent(score.tracesRight, score.traces)],
  ["wrong merges", ({ score }) => percent(score.merged, drawn(score), 3)],
  ["orphans", ({ score }) => percent(score.uncertain + score.missing, score.calls)],
  ["hops", ({ score }) => percent(score.hopsRight, score.hops)],
  ["calibration error", ({ score }) => calibrationText(score.deciles)],
];

const widths = columns.map(([title]) => title === "program" ? 22 : Math.max(6, title.length));

export function tableHeader(): string {
  return columns.map(([title], index) => padded(title, index)).join("  ");
}

/** The row of a cell; what was lost or missed its target follows on lines of their own. */
export function tableRow(cell: Cell): string {
  const row = columns.map(([, text], index) => padded(text(cell), index)).join("  ");
  const notes = [
    ...(cell.lost === "" ? [] : [`tracer: ${cell.lost}`]),
    ...(meetsTarget(cell) ? [] : [`wrong merges above ${percent(mergedShareMax, 1, 1)}`]),
  ];
  return [row, ...notes.map((note) => `    ${note}`)].join("\n");
}

export function jsonRow(cell: Cell): string {
  const { score, ...rest } = cell;
  const { deciles, ...counts } = score;
  return JSON.stringify({
    ...rest,
    ...counts,
    span_accuracy: share(score.right, score.calls),
    trace_accuracy: share(score.tracesRight, score.traces),
    wrong_merge_rate: share(score.merged, drawn(score)),
    deciles: deciles.map(({ links, right, confidence }) => ({
      links,
      right: share(right, links),
      confidence: share(confidence, links),
    })),
  });
}

export function meetsTarget({ score }: Cell): boolean {
  return score.merged <= mergedShareMax * drawn(score);
}

/** The tenths of confidence of all cells together: what was claimed, what was true. */
export function calibrationTable(cells: readonly Cell[]): string {
  const lines = ["confidence     links   claimed     right"];
  for (let decile = 9; decile >= 0; decile--) {
    let [links, right, confidence] = [0, 0, 0];
    for (const { score } of cells) {
      links += score.deciles[decile]?.links ?? 0;
      right += score.deciles[decile]?.right ?? 0;
      confidence += score.deciles[decile]?.confidence ?? 0;
    }
    if (links === 0) continue;
    const range = `${(decile / 10).toFixed(1)} to ${((decile + 1) / 10).toFixed(1)}`;
    lines.push([
      range,
      `${links}`.padStart(10),
      percent(confidence, links).padStart(10),
      percent(right, links).padStart(10),
    ].join(""));
  }
  return lines.join("\n");
}

const linksToJudge = 400;

/** The largest error of a tenth that holds enough links to judge it. */
function calibrationText(deciles: readonly Decile[]): string {
  const errors = deciles.filter(({ links }) => links >= linksToJudge)
    .map(({ links, right, confidence }) => (confidence - right) / links);
  const [worst] = errors.sort((a, b) => Math.abs(b) - Math.abs(a));
  return worst === undefined ? "–" : `${worst > 0 ? "+" : ""}${(100 * worst).toFixed(1)} points`;
}

const drawn = ({ right, wrong, merged }: SpanScore): number => right + wrong + merged;

const share = (part: number, whole: number): number | null => whole === 0 ? null : part / whole;

function percent(part: number, whole: number, digits = 2): string {
  return whole === 0 ? "–" : `${(100 * part / whole).toFixed(digits)} %`;
}

function padded(text: string, index: number): string {
  const width = widths[index] ?? 0;
  return index === 0 ? text.padEnd(width) : text.padStart(width);
}
