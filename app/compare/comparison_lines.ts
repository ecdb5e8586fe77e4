// SPDX-License-Identifier: Apache-2.0
// The differences of two assemblies as text: numbers first, then kinds of changes with examples.

import { formatId, type Span } from "../../model/span.ts";
import type {
  Comparison,
  LinkChange,
  TraceChange,
} from "../../queries/assembly/reassembly/assembly_comparison.ts";
import { countText, shareText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";
import { tableLines } from "../cli/terminal/text_table.ts";
import { nameOf } from "../explain/explanation_lines.ts";

/** Kinds of changes that are listed; the number of the rest is told. */
const CHANGES_MAX = 12;

export function comparisonLines(result: Comparison, paint: Paint): string[] {
  const { spans, moved, lost, gained, changes } = result;
  if (spans === 0) return ["No spans in that time."];
  const other = moved + lost + gained;
  const share = shareText(other / spans);
  const summary = `${countText(other)} of ${countText(spans)} spans have another parent (${share})`;
  return [
    paint("bold", summary),
    `  ${countText(moved)} hang elsewhere, ${countText(lost)} nowhere any more, ` +
    `${countText(gained)} hang somewhere now`,
    `  ${countText(result.sameParentOtherRule)} hang where they did, for another reason`,
    ...traceLines(result),
    ...(changes.length === 0 ? [] : ["", ...changeTable(changes, paint)]),
    ...changes.slice(0, CHANGES_MAX).flatMap((change) => ["", ...exampleLines(change, paint)]),
  ];
}

function traceLines(result: Comparison): string[] {
  const { tracesBefore, tracesAfter, split, merged, splitExample, mergedExample } = result;
  return [
    `${countText(tracesBefore)} traces before, ${countText(tracesAfter)} after`,
    `  ${countText(split)} fell apart${exampleOf(splitExample, "into")}`,
    `  ${countText(merged)} grew together${exampleOf(mergedExample, "out of")}`,
  ];
}

function exampleOf(change: TraceChange | null, word: string): string {
  if (change === null) return "";
  return `, as ${nameOf(change.root)} (trace ${change.traceId}) ${word} ${change.parts}`;
}

function changeTable(changes: readonly LinkChange[], paint: Paint): string[] {
  const rows = changes.slice(0, CHANGES_MAX).map(({ before, after, count }) => [
    before || "no parent",
    after || "no parent",
    countText(count),
  ]);
  const rest = changes.slice(CHANGES_MAX).reduce((sum, { count }) => sum + count, 0);
  const columns = [
    { title: "RULE BEFORE", align: "left" },
    { title: "RULE AFTER", align: "left" },
    { title: "SPANS", align: "right" },
  ] as const;
  const more = rest === 0 ? [] : [paint("dim", `… ${countText(rest)} more, by other rules`)];
  return [...tableLines(columns, rows, paint), ...more];
}

function exampleLines({ before, after, example }: LinkChange, paint: Paint): string[] {
  const { child, parentBefore, parentAfter, traceId } = example;
  return [
    `${paint("bold", nameOf(child))} ${paint("dim", `${formatId(child.span_id)}, ${traceId}`)}`,
    `  before: ${placeOf(parentBefore, before)}`,
    `  after:  ${placeOf(parentAfter, after)}`,
  ];
}

function placeOf(parent: Span | null, rule: string): string {
  return parent === null ? "a root" : `under ${nameOf(parent)} (${formatId(parent.span_id)}) ` +
    `[${rule}]`;
}
