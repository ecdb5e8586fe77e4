// SPDX-License-Identifier: Apache-2.0
// Scores evidence 7 and 8 alone on a data set. Parents and traces of outgoing spans are the truth
// and stay hidden from the solver, as does their operation. The solver may use the whole file.

import { solveShape } from "../../../operators/link/timeline/solve_shape.ts";
import { type DataService, readDataSet } from "./read_data_set.ts";

/** All in percent but the counts. */
export interface DataSetScore {
  readonly set: string;
  /** Requests all of whose calls are right; services with several callers left out. */
  readonly service_accuracy: number;
  /** Traces in which every such service is right. */
  readonly end_to_end: number;
  /** The same with services of several callers. */
  readonly service_accuracy_all: number;
  readonly end_to_end_all: number;
  /** Calls whose request is right, of all services. */
  readonly per_span: number;
  /** Calls that were given to no request, and to a wrong one. */
  readonly orphans: number;
  readonly wrong: number;
  readonly calls: number;
  readonly seconds: number;
  /** How right calls are, by tenths of confidence. */
  readonly calibration: readonly Confidence[];
}

export interface Confidence {
  readonly from: number;
  readonly calls: number;
  /** Mean confidence and share of right calls, in percent. */
  readonly told: number;
  readonly right: number;
}

/** Of the name of a file that may hold a data set. */
export const ending = /\.(json|jsonl|ndjson)(\.gz)?$/;

export async function scoreDataSet(path: string): Promise<DataSetScore> {
  const tally = startTally();
  let spentMs = 0;
  for await (const service of readDataSet(path)) {
    const startedMs = performance.now();
    scoreService(service, tally);
    spentMs += performance.now() - startedMs;
  }
  if (tally.all.requests === 0) throw new Error("its services have no incoming spans");
  const { scored, all, calls, callsRight, orphans, tenths } = tally;
  return {
    set: path.replace(/^.*\//, "").replace(ending, ""),
    service_accuracy: percent(scored.right, scored.requests),
    end_to_end: percent(scored.traces.size - scored.wrongTraces.size, scored.traces.size),
    service_accuracy_all: percent(all.right, all.requests),
    end_to_end_all: percent(all.traces.size - all.wrongTraces.size, all.traces.size),
    per_span: percent(callsRight, calls),
    orphans,
    wrong: calls - callsRight - orphans,
    calls,
    seconds: Math.round(spentMs) / 1_000,
    calibration: tenths.flatMap(({ calls, told, right }, i) =>
      calls === 0
        ? []
        : [{ from: i / 10, calls, told: percent(told, calls), right: percent(right, calls) }]
    ),
  };
}

interface RequestTally {
  requests: number;
  right: number;
  readonly traces: Set<string>;
  readonly wrongTraces: Set<string>;
}

function startTally() {
  const requests = (): RequestTally => ({
    requests: 0,
    right: 0,
    traces: new Set(),
    wrongTraces: new Set(),
  });
  return {
    scored: requests(),
    all: requests(),
    calls: 0,
    callsRight: 0,
    orphans: 0,
    tenths: Array.from({ length: 10 }, () => ({ calls: 0, told: 0, right: 0 })),
  };
}

function scoreService(service: DataService, tally: ReturnType<typeof startTally>): void {
  const { requests, calls, callees, truth, traces, callers } = service;
  const placed = solveShape(requests, calls, callees);
  const wrong = new Set<number>();
  for (const [call, { request, confidence }] of placed.entries()) {
    const parent = truth[call] ?? -1;
    const isRight = request === parent;
    tally.calls++;
    if (isRight) tally.callsRight++;
    else {
      wrong.add(parent);
      wrong.add(request);
    }
    if (request < 0) {
      if (!isRight) tally.orphans++;
      continue;
    }
    const tenth = tally.tenths[Math.min(9, Math.floor(confidence * 10))];
    if (tenth === undefined) continue;
    tenth.calls++;
    tenth.told += confidence;
    if (isRight) tenth.right++;
  }
  for (const [request, trace] of traces.entries()) {
    for (const counts of callers > 1 ? [tally.all] : [tally.all, tally.scored]) {
      counts.requests++;
      counts.traces.add(trace);
      if (wrong.has(request)) counts.wrongTraces.add(trace);
      else counts.right++;
    }
  }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : 100 * part / whole;
}
