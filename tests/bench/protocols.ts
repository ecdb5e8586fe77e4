// SPDX-License-Identifier: Apache-2.0
// Protocols: what each reader costs on its own fixture, and what it costs to ask whose bytes an
// unknown connection has; the rates that were set as goals; npm libraries on the same bytes; and
// tshark on the same capture files.

import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { createRegistry } from "../../operators/wire/registry.ts";
import { fixtureTalks } from "../fuzz/corpus.ts";
import { compareLibraries, type ComparisonRow, formatComparison } from "./protocols/comparison.ts";
import { formatGoals, type GoalRow, goalRows } from "./protocols/goals.ts";
import { formatReaders, type ReaderRow, readerRows } from "./protocols/readers.ts";
import { formatShark, type SharkRow, sharkRows } from "./protocols/shark.ts";

export interface ProtocolsReport {
  readonly readers: readonly ReaderRow[];
  readonly goals: readonly GoalRow[];
  readonly comparison: readonly ComparisonRow[];
  readonly shark: readonly SharkRow[] | null;
}

export async function protocolsBench(): Promise<ProtocolsReport> {
  const registry = createRegistry(PROTOCOLS);
  const talks = fixtureTalks(new URL("../golden/", import.meta.url));
  // First: code that has read everything else is compiled for everything.
  const goals = goalRows(talks, registry);
  return {
    readers: readerRows(talks, registry),
    goals,
    comparison: compareLibraries(talks),
    shark: await sharkRows(talks),
  };
}

export function formatProtocolsReport(report: ProtocolsReport): string {
  return [
    formatReaders(report.readers),
    formatGoals(report.goals),
    formatComparison(report.comparison),
    formatShark(report.shark),
  ].join("\n\n");
}

if (import.meta.main) console.log(formatProtocolsReport(await protocolsBench()));
