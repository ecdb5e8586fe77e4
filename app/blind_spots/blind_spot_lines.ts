// SPDX-License-Identifier: Apache-2.0
// Blind spots as text: a table of who and why, and how far it reaches.

import { DROP_REASONS } from "../../model/drops.ts";
import { countText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";
import { tableLines } from "../cli/terminal/text_table.ts";
import { BLIND_REASONS, type BlindSpot } from "./blind_spots.ts";

/** Rows that are shown; the number of the rest is told. */
const ROWS_MAX = 15;

/** Nothing where there are none. `tracesInAll`: those put together, to compare with. */
export function blindSpotLines(
  spots: readonly BlindSpot[],
  paint: Paint,
  tracesInAll: number | null = null,
): string[] {
  if (spots.length === 0) return [];
  const hasTraces = spots.some(({ traces }) => traces !== null);
  const columns = [
    { title: "SERVICE", align: "left", cellsMax: 24 },
    { title: "COUNT", align: "right" },
    ...(hasTraces ? [{ title: "TRACES", align: "right" } as const] : []),
    { title: "WHY", align: "left", cellsMax: 84 },
  ] as const;
  const rows = spots.slice(0, ROWS_MAX).map(({ reason, service, count, traces }) => [
    service || "–",
    countText(count),
    ...(hasTraces ? [traces === null ? "–" : countText(traces)] : []),
    wordsOf(reason),
  ]);
  const of = tracesInAll === null ? "" : `, of ${countText(tracesInAll)} traces`;
  const more = spots.length - ROWS_MAX;
  return [
    paint("bold", `Blind spots${of}`),
    ...tableLines(columns, rows, paint),
    ...(more > 0 ? [paint("dim", `… ${more} more`)] : []),
  ];
}

function wordsOf(reason: string): string {
  const words: Readonly<Record<string, string>> = { ...DROP_REASONS, ...BLIND_REASONS };
  return words[reason] ?? reason.replaceAll("_", " ");
}
