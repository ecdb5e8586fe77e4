// SPDX-License-Identifier: Apache-2.0
// The accuracy of links as text: a table by service, and one short line for all.

import { countText, shareText } from "../cli/terminal/quantity_text.ts";
import type { Paint } from "../cli/terminal/style.ts";
import { tableLines } from "../cli/terminal/text_table.ts";
import { agreement, CHECKS_MIN, checksInAll, linksOf, type ServiceChecks } from "./link_checks.ts";

const COLUMNS = [
  { title: "SERVICE", align: "left", cellsMax: 32 },
  { title: "RIGHT", align: "right" },
  { title: "WRONG", align: "right" },
  { title: "UNCERTAIN", align: "right" },
  { title: "LINKS", align: "right" },
] as const;

/** Nothing where no service has links enough to speak of. */
export function accuracyLines(rows: readonly ServiceChecks[], paint: Paint): string[] {
  const shown = rows.filter((row) => linksOf(row) >= CHECKS_MIN);
  if (shown.length === 0) return [];
  return [
    paint("bold", "Links found without ids, compared with what ids in the traffic tell"),
    ...tableLines(COLUMNS, shown.map(cellsOf), paint),
    paint("dim", "Right and wrong: of the links drawn as fact. Uncertain: of all."),
  ];
}

function cellsOf(row: ServiceChecks): string[] {
  const right = agreement(row);
  return [
    row.service === "" ? "other services" : row.service,
    right === null ? "–" : rightText(right),
    right === null ? "–" : shareText(1 - right),
    shareText(row.uncertain / linksOf(row)),
    countText(linksOf(row)),
  ];
}

/** Two digits where they matter, and 100% only where nothing is wrong. */
function rightText(share: number): string {
  if (share === 1 || share < 0.99) return shareText(share);
  return `${Math.min(99.99, share * 100).toFixed(2)}%`;
}

/** "links 99.2% right of 1,204 that ids check"; "" while there are too few. */
export function accuracyText(rows: readonly ServiceChecks[]): string {
  const all = checksInAll(rows);
  const right = agreement(all);
  if (linksOf(all) < CHECKS_MIN || right === null) return "";
  return `links ${rightText(right)} right (${countText(linksOf(all))} checked by ids)`;
}
