// SPDX-License-Identifier: Apache-2.0
// Gives every call to the request that it most likely belongs to, by a model of the service, and
// tells which others it may belong to.

import { followRequests } from "./follow_requests.ts";
import type { Path } from "./shape/path.ts";
import type { Service } from "./service.ts";
import type { ShapeModel } from "./shape/shape_model.ts";

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

function placedAs(request: number, shares: ReadonlyMap<number, number>): Placed {
  let nobodys = 1;
  for (const share of shares.values()) nobodys -= share;
  const others: Other[] = [];
  for (const [other, share] of shares) {
    if (other === request || share < leastConfidence) continue;
    others.push({ request: other, confidence: tempered(share) });
  }
  others.sort((a, b) => b.confidence - a.confidence);
  others.length = Math.min(others.length, othersMax);
  const share = request < 0 ? nobodys : shares.get(request) ?? 0;
  return { request, confidence: tempered(share), others };
}

/** What was learned from one's own answers makes too sure of them: odds count for half. */
function tempered(share: number): number {
  const odds = Math.sqrt(Math.max(0, share) / Math.max(1e-12, 1 - share));
  return Math.min(confidenceMax, odds / (1 + odds));
}

const confidenceMax = 0.995;
