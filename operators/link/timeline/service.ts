// SPDX-License-Identifier: Apache-2.0
// What was seen of one service: the requests that it read and the calls that it sent.

import type { ShapeCall, ShapeRequest } from "./shape/path.ts";

export interface Service {
  readonly requests: readonly ShapeRequest[];
  readonly calls: readonly ShapeCall[];
  readonly callees: number;
  /** The unit in which times were measured. */
  readonly resolutionUs: number;
  /** What it costs to give a call to no request, by callee. */
  readonly orphanCosts: Float64Array;
}

export function serviceOf(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  callees: number,
): Service {
  const orphanCosts = orphanCostsOf(requests, calls, callees);
  return { requests, calls, callees, resolutionUs: resolutionOf(requests, calls), orphanCosts };
}

/** A millisecond, or a microsecond. */
function resolutionOf(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
): number {
  const isCoarse = (span: { readonly startUs: number; readonly endUs: number }) =>
    span.startUs % 1_000 === 0 && (span.endUs === Infinity || span.endUs % 1_000 === 0);
  return requests.every(isCoarse) && calls.every(isCoarse) ? 1_000 : 1;
}

/** One call in so many is taken to belong to no request, if requests are open when it is sent. */
const orphanShareMin = 1e-5;

function orphanCostsOf(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  callees: number,
): Float64Array {
  const counts = new Float64Array(callees).fill(1);
  for (const { callee } of calls) counts[callee] = (counts[callee] ?? 0) + 1;
  const sorted = requests.toSorted((a, b) => a.startUs - b.startUs);
  const spanUs = Math.max(1, (sorted.at(-1)?.startUs ?? 0) - (sorted[0]?.startUs ?? 0));
  const lonely = lonelyCalls(sorted, calls) / Math.max(1, calls.length);
  const share = Math.max(orphanShareMin, lonely);
  return counts.map((count) => -Math.log(share * count / spanUs));
}

/** Calls that were sent while no request was open: they tell how many more are nobody's. */
function lonelyCalls(sorted: readonly ShapeRequest[], calls: readonly ShapeCall[]): number {
  let at = 0;
  let untilUs = -Infinity;
  let lonely = 0;
  for (const { startUs } of calls.toSorted((a, b) => a.startUs - b.startUs)) {
    for (; at < sorted.length; at++) {
      const request = sorted[at];
      if (request === undefined || request.startUs > startUs) break;
      untilUs = Math.max(untilUs, request.endUs);
    }
    if (untilUs < startUs) lonely++;
  }
  return lonely;
}
