// SPDX-License-Identifier: Apache-2.0
// Learns the shape of a service from requests that overlap, in rounds: each explains the service by
// what was learned before, and learns from every explanation as much as it is likely.

import { followRequests } from "./follow_requests.ts";
import type { Judgement } from "./history.ts";
import { learnAlone } from "./learn_alone.ts";
import type { Queue } from "./shape/overtaking.ts";
import type { Path } from "./shape/path.ts";
import type { Service } from "./service.ts";
import { type ShapeModel, shapeModel } from "./shape/shape_model.ts";

const roundsMax = 16;
const waysMax = 16;

/** Rounds end when one more makes all no likelier than by this part. */
const leastGain: Readonly<Record<Queue, number>> = {
  none: 5e-5,
  by_start: 1e-5,
  by_readiness: 1e-5,
};

/** A queue is believed in if it makes all so much likelier, and so much more for who overtakes. */
const queueGain = 12;
const overtakingLoss = 5;
const overtakingMax = 0.15;

export function learnShape(service: Service): ShapeModel {
  const plain = learnWith(service, "none", null);
  let best = plain;
  for (const queue of ["by_start", "by_readiness"] as const) {
    const other = learnWith(service, queue, plain);
    const lost = queueGain + other.model.overtaking.seen() * overtakingLoss;
    if (other.cost + lost < plain.cost && other.cost < best.cost) best = other;
  }
  return best.model;
}

interface Learned {
  readonly model: ShapeModel;
  /** What it costs to explain the service, after each round; the last is the best. */
  readonly costs: readonly number[];
  readonly cost: number;
}

/** `rival` must be beaten, or learning ends. */
function learnWith(service: Service, queue: Queue, rival: Learned | null): Learned {
  const { requests, calls, callees, resolutionUs } = service;
  let model = learnAlone(
    requests,
    calls,
    (progress, usual) => shapeModel(callees, resolutionUs, queue, progress, usual),
  );
  const costs: number[] = [];
  let best = Infinity;
  for (let round = 0; round < roundsMax; round++) {
    const { learned, cost } = learnRound(service, model);
    const isSettled = cost > best - leastGain[queue] * Math.abs(cost);
    const isHopeless = rival !== null && (cost > (rival.costs[round] ?? rival.cost) ||
      learned.overtaking.share() > overtakingMax);
    if (isHopeless) return { model, costs, cost: Infinity };
    costs.push(cost);
    if (cost < best) {
      best = cost;
      model = learned;
    }
    if (isSettled) break;
  }
  return { model, costs, cost: best };
}

export interface Round {
  readonly learned: ShapeModel;
  readonly cost: number;
}

/** Explains the service by a model, and learns another one from that. */
export function learnRound(service: Service, known: ShapeModel): Round {
  const { requests, calls, callees, resolutionUs, orphanCosts } = service;
  const learned = shapeModel(callees, resolutionUs, known.overtaking.queue, known.progress);
  const judgement: Judgement = {
    onPath(path: Path) {
      if (path.share >= leastShare) learned.learn(path, path.share, known);
    },
    onContest: learned.overtaking.learn,
  };
  const { cost } = followRequests(requests, calls, known, { waysMax, orphanCosts, judgement });
  return { learned, cost };
}

/** Paths less likely are not worth learning. */
const leastShare = 0.01;
