// SPDX-License-Identifier: Apache-2.0
// What a program does next, and when, by what it has done for a request so far: learned from
// requests whose calls are known. Three views of "so far", from the exact sequence of calls and
// responses down to the last event alone, each used as far as the finer one has seen too little.

import { CROWDS } from "../trust/crowd.ts";
import {
  addGap,
  bucketOf,
  type Gaps,
  gapShare,
  startGaps,
  unknownGapShare,
  widthCost,
} from "./gaps.ts";

/** Something sent for a request, a call or the answer, and what had happened before. */
export interface Step {
  /** Kind of the call, or ANSWER. */
  kind: number;
  /** Hash of all that happened before. */
  exact: number;
  /** The kind of the request, how many calls were sent, and the last event. */
  coarse: number;
  /** The last event alone. */
  last: number;
  gapUs: number;
  /** How many requests were open; see crowd.ts. */
  crowd: number;
  /** Sent by the thread of the last event. */
  isSameThread: boolean;
}

interface Following {
  count: number;
  sameThread: number;
  /** By crowd, because a program under load takes longer. */
  readonly gaps: (Gaps | undefined)[];
}

interface Point {
  total: number;
  readonly next: Map<number, Following>;
}

export interface Flow {
  readonly points: Map<number, Point>;
  /** What is seen after points, in all. */
  followings: number;
  /** By crowd: how many stories ended of late, and how many of them are odd. */
  readonly tellings: Telling[];
}

interface Telling {
  told: number;
  odd: number;
}

export const startFlow = (): Flow => ({
  points: new Map(),
  followings: 0,
  tellings: Array.from({ length: CROWDS }, () => ({ told: 0, odd: 0 })),
});

/** Points remembered per program; what is new beyond is known by its coarser views alone. */
const pointsMax = 8_192;

/** What is seen after points, in all; each takes up to 1.5 kB. */
const followingsMax = 16_384;

const fadeFrom = 800;

export function learnStep(step: Step, weight: number, flow: Flow): void {
  const bucket = bucketOf(step.gapUs);
  learnAt(step.exact, step, bucket, weight, flow);
  learnAt(step.coarse, step, bucket, weight, flow);
  learnAt(step.last, step, bucket, weight, flow);
}

function learnAt(key: number, step: Step, bucket: number, weight: number, flow: Flow): void {
  let point = flow.points.get(key);
  if (point === undefined) {
    if (flow.points.size >= pointsMax) return;
    point = { total: 0, next: new Map() };
    flow.points.set(key, point);
  }
  let following = point.next.get(step.kind);
  if (following === undefined) {
    if (flow.followings >= followingsMax) return;
    flow.followings++;
    following = { count: 0, sameThread: 0, gaps: [] };
    point.next.set(step.kind, following);
  }
  point.total += weight;
  following.count += weight;
  if (step.isSameThread) following.sameThread += weight;
  addGap(following.gaps[step.crowd] ??= startGaps(), bucket, weight);
  if (point.total < fadeFrom) return;
  point.total /= 2;
  for (const each of point.next.values()) {
    each.count /= 2;
    each.sameThread /= 2;
  }
}

/** How likely it is that what comes next is of this kind. */
export function kindShare(step: Step, { points }: Flow): number {
  let share = unknownKindShare;
  for (let view = 0; view < 3; view++) {
    const point = points.get(keyOf(step, view));
    if (point === undefined) continue;
    share = ((point.next.get(step.kind)?.count ?? 0) + doubt * share) / (point.total + doubt);
  }
  return share;
}

/** True if such requests are known, and hardly any does that. */
export function isOdd(step: Step, flow: Flow): boolean {
  const known = flow.points.get(step.coarse) ?? flow.points.get(step.last);
  return known !== undefined && known.total >= knownFrom && kindShare(step, flow) < oddShare;
}

const knownFrom = 8;
const oddShare = 0.03;

/** A story has ended; what it tells of the placing of calls, not of the request, is of interest. */
export function noteOddity(hasOddStep: boolean, crowd: number, { tellings }: Flow): void {
  const telling = tellings[crowd];
  if (telling === undefined) return;
  telling.told++;
  if (hasOddStep) telling.odd++;
  if (telling.told < oddityMemory) return;
  telling.told /= 2;
  telling.odd /= 2;
}

const oddityMemory = 200;

/** Share of requests of late, in such a crowd, whose stories are odd as calls were placed. */
export function oddity(crowd: number, { tellings }: Flow): number {
  const { told, odd } = tellings[crowd] ?? { told: 0, odd: 0 };
  return (odd + (crowd < largeCrowd ? 0.1 : 1)) / (told + 10);
}

/** From this size on, that stories are told apart at all is to be shown first. */
const largeCrowd = 3;

/** From the coarsest view to the finest. */
function keyOf({ last, coarse, exact }: Step, view: number): number {
  return view === 0 ? last : view === 1 ? coarse : exact;
}

/** Minus the logarithm of how likely this comes next, now, from this thread. */
export function stepCost(step: Step, { points }: Flow): number {
  const bucket = bucketOf(step.gapUs);
  let ofKind = unknownKindShare;
  let ofGap = unknownGapShare(bucket);
  let ofThread = 0.5;
  for (let view = 0; view < 3; view++) {
    const point = points.get(keyOf(step, view));
    if (point === undefined) continue;
    const following = point.next.get(step.kind);
    const count = following?.count ?? 0;
    ofKind = (count + doubt * ofKind) / (point.total + doubt);
    if (following === undefined) continue;
    ofGap = gapShare(following.gaps[step.crowd], bucket, ofGap);
    const same = (following.sameThread + threadDoubt * ofThread) / (count + threadDoubt);
    ofThread = same;
  }
  const thread = step.isSameThread ? ofThread : 1 - ofThread;
  return -Math.log(ofKind * ofGap * Math.max(thread, threadShareMin)) + widthCost(step.gapUs);
}

const unknownKindShare = 0.05;
const doubt = 0.5;
const threadDoubt = 2;
const threadShareMin = 0.002;
