// SPDX-License-Identifier: Apache-2.0
// What a run says on standard error: that it has begun, and how it went.

import { printGraph } from "../../engine/print_graph.ts";
import { LIMITS } from "../../model/limits.ts";
import { countText } from "../cli/terminal/quantity_text.ts";
import type { RecordSource } from "./record_source.ts";
import type { Tracing } from "./start_tracing.ts";
import type { Counts } from "./vitals.ts";

export function sayStart({ scope, path }: RecordSource): void {
  console.error(`Tracing ${scope} (${path}). Ctrl-C stops.`);
}

export function sayEnd(
  tracing: Tracing,
  { showGraph, isQuiet, problem, findings = [] }: {
    readonly showGraph: boolean;
    /** Say only what is wrong. */
    readonly isQuiet: boolean;
    readonly problem: string;
    /** Lines about what the run has found out about itself. */
    readonly findings?: readonly string[];
  },
): void {
  const counts = tracing.counts();
  if (showGraph) {
    console.error(printGraph(tracing.run.graph, { now: tracing.run.meters(), limits: LIMITS }));
  }
  if (problem !== "") console.error(problem);
  if (findings.length > 0) console.error(`${findings.join("\n")}\n`);
  if (!isQuiet || counts.drops.length > 0) console.error(countsText(counts));
}

/** "12,345 events, dropped: 12 ring full, 3 late." */
export function countsText({ events, drops, expired }: Counts): string {
  const lost = drops.map(({ reason, count }) => `${countText(count)} ${words(reason)}`);
  const end = lost.length === 0 ? "nothing dropped" : `dropped: ${lost.join(", ")}`;
  const removed = expired === 0 ? "" : `; ${countText(expired)} old spans removed from the store`;
  return `${countText(events)} events, ${end}${removed}.`;
}

function words(reason: string): string {
  return reason.replaceAll("_", " ");
}
