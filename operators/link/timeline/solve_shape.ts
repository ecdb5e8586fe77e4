// SPDX-License-Identifier: Apache-2.0
// Who called whom inside one service, from starts and ends alone (evidence 7 and 8). The shape of
// the service is learned from the very requests that it then explains, in rounds: each round weighs
// what it learns by how likely it was in the round before. It sees the whole of what it is given.

import { followRequests } from "./follow_requests.ts";
import { learnAlone } from "./learn_alone.ts";
import type { Queue } from "./overtaking.ts";
import type { Path, ShapeCall, ShapeRequest } from "./path.ts";
import { type ShapeModel, shapeModel } from "./shape_model.ts";

export interface Placed {
  /** Index of the request, -1 if it belongs to none. */
  readonly request: number;
  /** From 0 to 1. */
  readonly confidence: number;
}

const roundsMax = 10;
const waysMax = 16;

/** Rounds end when one more makes all no likelier than by this part. */
const leastGain = 5e-5;

/** The request of each call. */
export function solveShape(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  callees: number,
): Placed[] {
  const service = { requests, calls, callees, resolutionUs: resolutionOf([...requests, ...calls]) };
  let best = explain(service, "none");
  for (const queue of ["by_start", "by_readiness"] as const) {
    const other = explain(service, queue);
    if (other.cost < best.cost - queueGain) best = other;
  }
  return placedBy(best.paths, calls.length);
}

interface Service {
  readonly requests: readonly ShapeRequest[];
  readonly calls: readonly ShapeCall[];
  readonly callees: number;
  readonly resolutionUs: number;
}

interface Explanation {
  readonly paths: readonly Path[];
  readonly cost: number;
}

function explain(service: Service, queue: Queue): Explanation {
  const { requests, calls, callees, resolutionUs } = service;
  const orphanCosts = orphanCostsOf(service);
  const blank = (progress?: ShapeModel["progress"]) =>
    shapeModel(callees, resolutionUs, queue, progress);
  let model = learnAlone(requests, calls, blank);
  let best: Explanation = { paths: [], cost: Infinity };
  for (let round = 0; round < roundsMax; round++) {
    const learned = blank(model.progress);
    const known = model;
    const followed = followRequests(requests, calls, known, {
      waysMax: waysMax,
      orphanCosts,
      judgement: {
        onPath: (path) => {
          if (path.share >= leastShare) learned.learn(path, path.share, known);
        },
        onContest: learned.overtaking.learn,
      },
    });
    const isSettled = followed.cost > best.cost - leastGain * Math.abs(followed.cost);
    if (followed.cost < best.cost) best = followed;
    if (queue !== "none" && learned.overtaking.share() > overtakingMax) return unexplained;
    if (isSettled) break;
    model = learned;
  }
  return best;
}

const leastShare = 0.01;

/** A queue is believed in if it makes all so much likelier, and few overtake. */
const queueGain = 12;
const overtakingMax = 0.05;
const unexplained: Explanation = { paths: [], cost: Infinity };

/** One call in so many is taken to belong to none of the requests. */
const orphanShare = 1e-3;

function orphanCostsOf({ requests, calls, callees }: Service): Float64Array {
  let firstUs = Infinity;
  let lastUs = -Infinity;
  for (const { startUs } of requests) {
    firstUs = Math.min(firstUs, startUs);
    lastUs = Math.max(lastUs, startUs);
  }
  const counts = new Float64Array(callees).fill(1);
  for (const { callee } of calls) counts[callee] = (counts[callee] ?? 0) + 1;
  const spanUs = Math.max(1, lastUs - firstUs);
  return counts.map((count) => -Math.log(orphanShare * count / spanUs));
}

function placedBy(paths: readonly Path[], calls: number): Placed[] {
  const placed = new Array<Placed>(calls).fill({ request: -1, confidence: 0 });
  for (const path of paths) {
    for (let at: Path | null = path; at !== null && at.call >= 0; at = at.before) {
      placed[at.call] = { request: path.request, confidence: path.share };
    }
  }
  return placed;
}

/** The unit in which times were measured: a millisecond, or a microsecond. */
function resolutionOf(spans: readonly { startUs: number; endUs: number }[]): number {
  const isCoarse = spans.every(({ startUs, endUs }) =>
    startUs % 1_000 === 0 && endUs % 1_000 === 0
  );
  return isCoarse ? 1_000 : 1;
}
