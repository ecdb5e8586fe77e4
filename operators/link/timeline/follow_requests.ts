// SPDX-License-Identifier: Apache-2.0
// Follows all requests of a service through time, on several ways at once, and tells the best one.

import { bestPaths, type Judgement, shareOut } from "./history.ts";
import { type Path, type ShapeCall, type ShapeRequest, startPath } from "./shape/path.ts";
import type { ShapeModel } from "./shape/shape_model.ts";
import { branch, closeRequest, type Way } from "./ways.ts";

export interface FollowOptions {
  /** Ways kept at most. */
  readonly waysMax: number;
  /** What it costs to give a call to no request, by callee. */
  readonly orphanCosts: Float64Array;
  readonly judgement: Judgement | null;
}

/** The most likely way: the path of each request, and what all that costs. */
export interface Followed {
  readonly paths: readonly Path[];
  readonly cost: number;
}

/** Requests that are open at once, at most: then the oldest is taken to have ended. */
const openMax = 256;

/** Requests that may have ended before ways must agree on what became of them. */
const unsettledMax = 1_000;

export function followRequests(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  model: ShapeModel,
  { waysMax, orphanCosts, judgement }: FollowOptions,
): Followed {
  const found = new Array<Path>(requests.length);
  let ways: Way[] = [{ cost: 0, costOfAll: 0, paths: [], contests: [], history: null }];
  let total = 0;
  let unsettled = 0;
  const settle = () => {
    const [best] = ways;
    if (best === undefined) return;
    for (const path of bestPaths(best.history)) found[path.request] = path;
    if (judgement !== null) shareOut(best.history, judgement);
    total += best.cost;
    ways = [{ ...best, cost: 0, costOfAll: 0, history: null }];
    unsettled = 0;
  };
  const close = (slot: number) => {
    if (slot < 0) return;
    ways = closeRequest(ways, slot, model);
    if (ways.length === 1 || ++unsettled >= unsettledMax) settle();
  };
  const open = () => ways[0]?.paths ?? [];
  const begin = (index: number, request: ShapeRequest) => {
    if (open().length >= openMax) close(0);
    const path = startPath(index, request, model.progress.first);
    for (const way of ways) {
      way.paths.push(path);
      way.contests.push(null);
    }
  };
  for (const { what, index } of eventsOf(requests, calls)) {
    const request = requests[index];
    const call = calls[index];
    if (what === starts && request !== undefined) begin(index, request);
    else if (what === ends) close(open().findIndex((path) => path.request === index));
    else if (what === sends && call !== undefined) {
      const orphanCost = orphanCosts[call.callee] ?? 0;
      ways = branch(ways, index, call, model, { waysMax, orphanCost });
    }
  }
  settle();
  return { paths: found, cost: total };
}

const starts = 0;
const sends = 1;
const ends = 2;

/** In the order of time; at the same time starts come first and ends last. */
function eventsOf(requests: readonly ShapeRequest[], calls: readonly ShapeCall[]) {
  const events: { atUs: number; what: number; index: number }[] = [];
  for (const [index, { startUs, endUs }] of requests.entries()) {
    events.push({ atUs: startUs, what: starts, index });
    events.push({ atUs: Math.max(startUs, endUs), what: ends, index });
  }
  for (const [index, { startUs }] of calls.entries()) {
    events.push({ atUs: startUs, what: sends, index });
  }
  return events.sort((a, b) =>
    a.atUs === b.atUs ? a.what - b.what || a.index - b.index : a.atUs - b.atUs
  );
}
