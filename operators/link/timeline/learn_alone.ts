// SPDX-License-Identifier: Apache-2.0
// Where to begin: what can be learned from requests during which no other was open, because whose
// their calls are is beyond doubt.

import { followRequests } from "./follow_requests.ts";
import type { ShapeCall, ShapeRequest } from "./shape/path.ts";
import type { ShapeModel } from "./shape/shape_model.ts";

/** Fewer requests tell too little. */
const aloneMin = 10;

/** `blank` makes a model that has learned nothing yet. */
export function learnAlone(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  blank: (progress?: ShapeModel["progress"], usual?: readonly number[]) => ShapeModel,
): ShapeModel {
  const unlearned = blank();
  const alone = requestsAlone(requests);
  if (alone.length < aloneMin) {
    return blank(unlearned.progress, usualCounts(requests, calls, unlearned.callees));
  }
  const learned = blank(unlearned.progress);
  const orphanCosts = new Float64Array(learned.callees).fill(1e9);
  const options = { waysMax: 1, orphanCosts, judgement: null };
  const { paths } = followRequests(alone, callsInside(calls, alone), unlearned, options);
  for (const path of paths) learned.learn(path, 1, unlearned);
  return learned;
}

/** How many calls to each callee there are for a request, where that is a whole number. */
function usualCounts(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  callees: number,
): number[] {
  const counts = new Array<number>(callees).fill(0);
  for (const { callee } of calls) counts[callee] = (counts[callee] ?? 0) + 1;
  return counts.map((count) => {
    const each = count / Math.max(1, requests.length);
    const whole = Math.round(each);
    return whole > 0 && Math.abs(each - whole) < wholeWithin * whole ? whole : NaN;
  });
}

const wholeWithin = 0.02;

/** In the order of time. */
function requestsAlone(requests: readonly ShapeRequest[]): ShapeRequest[] {
  const sorted = requests.toSorted((a, b) => a.startUs - b.startUs);
  let untilUs = -Infinity;
  return sorted.filter(({ startUs, endUs }, i) => {
    const isAfter = untilUs < startUs;
    untilUs = Math.max(untilUs, endUs);
    return isAfter && (sorted[i + 1]?.startUs ?? Infinity) > endUs;
  });
}

function callsInside(
  calls: readonly ShapeCall[],
  sortedRequests: readonly ShapeRequest[],
): ShapeCall[] {
  const sorted = calls.toSorted((a, b) => a.startUs - b.startUs);
  let at = 0;
  return sorted.filter(({ startUs, endUs }) => {
    while ((sortedRequests[at]?.endUs ?? Infinity) < startUs) at++;
    const request = sortedRequests[at];
    return request !== undefined && request.startUs <= startUs && endUs <= request.endUs;
  });
}
