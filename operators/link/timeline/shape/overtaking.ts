// SPDX-License-Identifier: Apache-2.0
// Services that keep a queue, event loops most of all: of several requests that could send a call
// now, the one that has waited longest does, whatever gaps are usual. Rarely another overtakes it.

import type { Path, ShapeCall } from "./path.ts";

/** Whether requests queue up to call, by their start or by when their last call ended. */
export type Queue = "none" | "by_start" | "by_readiness";

/** A call that several requests could have sent. */
export interface Contest {
  readonly callee: number;
  /** Another had waited longer. */
  readonly overtook: boolean;
  /** How likely the one that had waited longest was to send it, by gaps alone. */
  readonly firstShare: number;
  /** Of the call before of the same request. */
  readonly before: Contest | null;
}

/** Rivals looked at among the requests that started before, and as many of those after. */
const rivalsMax = 10;

/** What rivals may cost more than the sender, and still be taken to wait. */
const costMax = 25;

/**
 * The contest of the request in this slot, null if no other could have sent the call. `costs` tells
 * what it costs each to send it, NaN where it cannot.
 */
export function contestOf(
  paths: readonly Path[],
  slot: number,
  call: ShapeCall,
  costs: Float64Array,
  queue: Queue,
  waits: (path: Path, callee: number) => boolean,
): Contest | null {
  const own = paths[slot];
  const ownCost = costs[slot] ?? NaN;
  if (own === undefined || queue === "none") return null;
  let firstUs = waitsSinceUs(own, queue);
  let firstWeight = 1;
  let whole = 1;
  let overtook = false;
  let isContested = false;
  const last = Math.min(paths.length - 1, slot + rivalsMax);
  for (let i = Math.max(0, slot - rivalsMax); i <= last; i++) {
    const other = paths[i];
    const cost = (costs[i] ?? NaN) - ownCost;
    if (i === slot || other === undefined || !(cost < costMax)) continue;
    if (!isAlike(own, other, call, queue) || !waits(other, call.callee)) continue;
    const weight = Math.exp(-cost);
    const sinceUs = waitsSinceUs(other, queue);
    isContested = true;
    whole += weight;
    if (sinceUs < firstUs || fewerCalls(other, own, call.callee)) {
      firstUs = sinceUs;
      firstWeight = weight;
      overtook = true;
    }
  }
  if (!isContested) return null;
  return { callee: call.callee, overtook, firstShare: firstWeight / whole, before: null };
}

function waitsSinceUs(path: Path, queue: Queue): number {
  return queue === "by_start" ? path.startUs : path.lastEndUs;
}

/** Whether both wait to send such a call. */
function isAlike(own: Path, other: Path, call: ShapeCall, queue: Queue): boolean {
  if (queue === "by_start") return !fewerCalls(own, other, call.callee);
  return own.progress.id === other.progress.id && own.lastEndUs <= call.startUs &&
    other.lastEndUs <= call.startUs;
}

/** Who has sent fewer such calls is served first. */
function fewerCalls(one: Path, other: Path, callee: number): boolean {
  return (one.progress.counts[callee] ?? 0) < (other.progress.counts[callee] ?? 0);
}

export interface Overtaking {
  readonly queue: Queue;
  readonly learn: (contest: Contest, weight: number) => void;
  readonly cost: (contest: Contest) => number;
  /** How often it happened; and how often of all contests. */
  readonly seen: () => number;
  readonly share: () => number;
}

/** Before anything is known, so many of so many contests are taken to have been overtakings. */
const seenBefore = { overtook: 1, contests: 12 };

export function overtaking(callees: number, queue: Queue): Overtaking {
  const contests = new Float64Array(callees).fill(seenBefore.contests);
  const overtook = new Float64Array(callees).fill(seenBefore.overtook);
  return {
    queue,
    learn(contest, weight) {
      const { callee } = contest;
      contests[callee] = (contests[callee] ?? 0) + weight;
      if (contest.overtook) overtook[callee] = (overtook[callee] ?? 0) + weight;
    },
    /** The queue decides who sends, where gaps would have: what they said is taken back. */
    cost(contest) {
      const { callee, firstShare } = contest;
      const share = believed(overtook[callee] ?? 0) / (contests[callee] ?? 1);
      return contest.overtook
        ? Math.log(Math.max(leastShare, 1 - firstShare) / share) +
          (share < strictShare ? strictCost : 0)
        : Math.log(Math.max(leastShare, firstShare) / (1 - share));
    },
    seen: () => sum(overtook.map(believed)),
    share: () => sum(overtook) / sum(contests),
  };
}

/** A few may be errors of ours: most queues are never overtaken. */
const believed = (overtook: number) => overtook * overtook / (overtook + doubted);
const doubted = 3;

const sum = (counts: Float64Array) => counts.reduce((all, each) => all + each, 0);
const leastShare = 1e-6;

/** Where hardly any overtake, none does as a rule. */
const strictShare = 0.03;
const strictCost = 4;
