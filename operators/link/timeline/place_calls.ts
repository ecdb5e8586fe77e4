// SPDX-License-Identifier: Apache-2.0
// Gives every call to the request that it most likely belongs to, by a model of the service, and
// tells which others it may belong to.

import { followRequests } from "./follow_requests.ts";
import type { Path } from "./path.ts";
import type { Service } from "./service.ts";
import type { ShapeModel } from "./shape_model.ts";

export interface Placed {
  /** Index of the request, -1 if it belongs to none. */
  readonly request: number;
  /** How likely that is, from 0 to 1. */
  readonly confidence: number;
  /** Other requests that may have sent it, the likeliest first. */
  readonly others: readonly Other[];
}

export interface Other {
  readonly request: number;
  readonly confidence: number;
}

const waysMax = 32;
const othersMax = 4;
const leastConfidence = 0.01;

export function placeCalls(service: Service, model: ShapeModel): Placed[] {
  const { requests, calls, orphanCosts } = service;
  const shares = calls.map(() => new Map<number, number>());
  const onPath = (path: Path) => {
    if (path.share < leastConfidence / 10) return;
    for (let at: Path | null = path; at !== null && at.call >= 0; at = at.before) {
      const ofCall = shares[at.call];
      ofCall?.set(path.request, (ofCall.get(path.request) ?? 0) + path.share);
    }
  };
  const judgement = { onPath, onContest: () => {} };
  const { paths } = followRequests(requests, calls, model, { waysMax, orphanCosts, judgement });
  const placed = new Int32Array(calls.length).fill(-1);
  for (const path of paths) {
    for (let at: Path | null = path; at !== null && at.call >= 0; at = at.before) {
      placed[at.call] = path.request;
    }
  }
  return shares.map((ofCall, call) => placedAs(placed[call] ?? -1, ofCall));
}

/** Shares are of different moments, the ends of requests: together they may exceed one. */
function placedAs(request: number, shares: ReadonlyMap<number, number>): Placed {
  let whole = 0;
  for (const share of shares.values()) whole += share;
  const confidenceIn = (share: number) => share / Math.max(1, whole);
  const others: Other[] = [];
  for (const [other, share] of shares) {
    const confidence = confidenceIn(share);
    if (other !== request && confidence >= leastConfidence) {
      others.push({ request: other, confidence });
    }
  }
  others.sort((a, b) => b.confidence - a.confidence);
  others.length = Math.min(others.length, othersMax);
  const confidence = request < 0 ? Math.max(0, 1 - whole) : confidenceIn(shares.get(request) ?? 0);
  return { request, confidence, others };
}
