// SPDX-License-Identifier: Apache-2.0
// Scores evidence 7 and 8 alone on public data with known parents, in which spans carry no thread.
//
// A data set is a gzip file of JSON: services with their incoming and outgoing spans. The parents
// and traces of outgoing spans are the truth and are hidden from the solver, as is their operation.

import { solveService, type TimedSpan } from "./shape/solve_service.ts";

export interface DataSetScore {
  readonly set: string;
  /** Percent of requests all of whose calls are right; services with several callers left out. */
  readonly service_accuracy: number;
  /** Percent of traces in which every such service is right. */
  readonly end_to_end: number;
  /** Percent of calls whose request is right, of all services. */
  readonly per_span: number;
  /** Calls that were given to no request, and to a wrong one. */
  readonly orphans: number;
  readonly wrong: number;
}

interface DataSpan {
  readonly id: string;
  readonly trace: string;
  readonly ep: string;
  readonly start_us: number;
  readonly dur_us: number;
  readonly parent?: string;
}

interface DataService {
  readonly service: string;
  readonly in_eps: number;
  readonly incoming: readonly DataSpan[];
  readonly outgoing: readonly DataSpan[];
}

export async function scoreDataSet(path: string): Promise<DataSetScore> {
  const services = await readServices(path);
  const tally = { requests: 0, right: 0, calls: 0, callsRight: 0, orphans: 0 };
  const wrongTraces = new Set<string>();
  const traces = new Set<string>();
  for (const { in_eps, incoming, outgoing } of services) {
    const solved = solveService(incoming.map(timed), outgoing.map(timed));
    const wrongRequests = new Set<string>();
    for (const [i, call] of outgoing.entries()) {
      const found = incoming[solved[i] ?? -1];
      tally.calls++;
      if (found === undefined) tally.orphans++;
      if (found !== undefined && found.id === call.parent) tally.callsRight++;
      else {
        if (call.parent !== undefined) wrongRequests.add(call.parent);
        if (found !== undefined) wrongRequests.add(found.id);
      }
    }
    if (in_eps > 1) continue;
    for (const request of incoming) {
      tally.requests++;
      traces.add(request.trace);
      if (wrongRequests.has(request.id)) wrongTraces.add(request.trace);
      else tally.right++;
    }
  }
  const percent = (part: number, whole: number) => whole === 0 ? 0 : 100 * part / whole;
  return {
    set: path.replace(/^.*\//, "").replace(/\.json\.gz$/, ""),
    service_accuracy: percent(tally.right, tally.requests),
    end_to_end: percent(traces.size - wrongTraces.size, traces.size),
    per_span: percent(tally.callsRight, tally.calls),
    orphans: tally.orphans,
    wrong: tally.calls - tally.callsRight - tally.orphans,
  };
}

async function readServices(path: string): Promise<DataService[]> {
  const file = await Deno.open(path);
  const text = await new Response(file.readable.pipeThrough(new DecompressionStream("gzip")))
    .text();
  return JSON.parse(text);
}

function timed({ ep, start_us, dur_us }: DataSpan): TimedSpan {
  return { ep, startUs: start_us, endUs: start_us + dur_us };
}

/** End-to-end percentages as published or measured with the authors' code: the best of each set. */
export const PUBLISHED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  hotel_load25: { WAP5: 80.0, FCFS: 92.3, vPath: 94.3, TraceWeaver: 99.8 },
  hotel_load75: { WAP5: 41.2, FCFS: 64.8, vPath: 83.8, TraceWeaver: 99.4 },
  hotel_load125: { WAP5: 25.1, FCFS: 54.8, vPath: 73.2, TraceWeaver: 98.1 },
  node_load25: { WAP5: 82.6, FCFS: 100, vPath: 65.2, TraceWeaver: 97.8 },
  node_load75: { WAP5: 78.4, FCFS: 100, vPath: 64.0, TraceWeaver: 97.7 },
  node_load125: { WAP5: 75.9, FCFS: 100, vPath: 64.3, TraceWeaver: 97.3 },
  media_load25: { WAP5: 88.5, FCFS: 91.6, vPath: 79.5, TraceWeaver: 96.1 },
  media_load75: { WAP5: 73.0, FCFS: 78.5, vPath: 52.1, TraceWeaver: 91.7 },
  media_load125: { WAP5: 59.0, FCFS: 64.8, vPath: 34.4, TraceWeaver: 85.2 },
  nodeio_0: { WAP5: 82.5, FCFS: 100, vPath: 74.2, TraceWeaver: 95.9 },
};
