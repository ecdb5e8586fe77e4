// SPDX-License-Identifier: Apache-2.0
// Looks whether the calls of a request could be another one's, and how likely that is: divides the
// calls anew between it and each of its rivals.

import type { Call, ProgramState, Work } from "../program.ts";
import { divide, type Divided, type Division } from "./divide.ts";
import { lineOf, neighbour } from "./line.ts";
import { mayHold, own, ruleCost } from "./owner.ts";
import { additionCost } from "./place.ts";

/** How sure it is whose a call is. */
export interface Doubt {
  /** Probability of each possible parent that is worth naming; null is nobody. */
  readonly shares: Map<Work | null, number>;
  /** What any other parent costs more, by stories alone, whatever the rules say. */
  storyMargin: number;
}

/** The request has been answered: its calls are divided anew, as long as that gets better. */
export function settleStory(work: Work, program: ProgramState): void {
  for (const rival of rivalsOf(work, program)) {
    const divided = tryDivide(work, rival, program);
    if (divided !== null) adopt([work, rival], divided, program);
  }
}

/** Null also where so much is contested that it would take too much of the processor. */
function tryDivide(work: Work, rival: Work, program: ProgramState): Divided | null {
  const passedNs = Math.max(0, program.nowNs - program.refilledNs);
  if (passedNs > 0) {
    const refilled = program.divisionsLeft + passedNs * divisionsPerNs;
    program.divisionsLeft = Math.min(divisionsMax, refilled);
    program.refilledNs = program.nowNs;
  }
  if (program.divisionsLeft < 1) return null;
  program.divisionsLeft--;
  return divide(work, rival, program);
}

/** Each takes some 20 µs: at most about a third of one processor, per program. */
const divisionsPerNs = 16_000 / 1e9;
const divisionsMax = 16_000;

/** Makes the best division the present one; only calls that are undecided change hands. */
function adopt(works: readonly Work[], divided: Divided, program: ProgramState): boolean {
  const { calls, divisions, current } = divided;
  for (const { cost, owners } of divisions) {
    if (cost >= current.cost - gainMin) return false;
    const isFree = calls.every((call, i) =>
      call.decision === null || owners[i] === current.owners[i]
    );
    if (!isFree) continue;
    for (const [i, call] of calls.entries()) own(call, works[owners[i] ?? -1] ?? null, program);
    return true;
  }
  return false;
}

const gainMin = 0.01;

/**
 * Requests that may have made calls of this one, or the other way about: those of the calls sent
 * just before and after, and those on whose story its calls go on best.
 */
function rivalsOf(work: Work, program: ProgramState): Set<Work> {
  const rivals = new Set<Work>();
  const add = (rival: Work | null | undefined): void => {
    if (!rival || rival === work || rivals.has(rival) || !overlap(rival, work)) return;
    if (mayHoldAny(rival, work) || mayHoldAny(work, rival)) rivals.add(rival);
  };
  for (const call of work.story) {
    if (call.isFixed) continue;
    const line = lineOf(call, program.lines);
    for (let distance = 1; distance <= neighboursMax; distance++) {
      add(neighbour(call, -distance, line)?.placed);
      add(neighbour(call, distance, line)?.placed);
    }
  }
  for (const rival of mostLikelyOthers(work, program)) add(rival);
  return rivals;
}

const mayHoldAny = (work: Work, { story }: Work): boolean =>
  story.some((call) => !call.isFixed && mayHold(work, call));

const overlap = (a: Work, b: Work): boolean => a.readNs < b.endNs && b.readNs < a.endNs;

function mostLikelyOthers(work: Work, program: ProgramState): Work[] {
  const { works, firstOrder } = program;
  const found: { readonly rival: Work; readonly cost: number }[] = [];
  const first = Math.max(0, work.order - firstOrder - reachMax);
  const last = Math.min(works.length, work.order - firstOrder + reachMax);
  for (let i = first; i < last; i++) {
    const rival = works[i];
    if (rival === undefined || rival === work || !overlap(rival, work)) continue;
    let least = Infinity;
    for (const call of work.story) {
      if (call.isFixed || !mayHold(rival, call)) continue;
      least = Math.min(least, additionCost(call, rival, program));
    }
    if (least < costMax) found.push({ rival, cost: least });
  }
  found.sort((a, b) => a.cost - b.cost);
  return found.slice(0, othersMax).map(({ rival }) => rival);
}

const neighboursMax = 2;
const reachMax = 24;
const othersMax = 6;
const costMax = 24;

/** Costs come from counts that are not independent; so they count less than in full. */
const temper = 0.5;

/** Null if the call is nobody's, or one of too many. */
export function doubtOf(call: Call, program: ProgramState): Doubt | null {
  for (let round = 0; round < roundsMax; round++) {
    const { placed } = call;
    if (placed === null) return null;
    const doubt = doubtsOf(placed, program).get(call);
    if (call.placed === placed) return doubt ?? null;
  }
  return null;
}

/** Of every call of the request that is given to it now; found anew once any of that changes. */
function doubtsOf(work: Work, program: ProgramState): Doubts["byCall"] {
  const isKnown = work.doubts?.among.every(([each, placings]) => each.placings === placings);
  if (work.doubts === null || !isKnown) work.doubts = findDoubts(work, program);
  return work.doubts.byCall;
}

export interface Doubts {
  readonly byCall: ReadonlyMap<Call, Doubt>;
  /** The request and its rivals, each with its number of placings then. */
  readonly among: readonly (readonly [work: Work, placings: number])[];
}

function findDoubts(work: Work, program: ProgramState): Doubts {
  const byCall = new Map<Call, Doubt>();
  let rivals = rivalsOf(work, program);
  for (let round = 0; round <= roundsMax; round++) {
    byCall.clear();
    for (const call of work.story) {
      byCall.set(call, { shares: new Map([[work, 1]]), storyMargin: Infinity });
    }
    if (!weighRivals(work, rivals, byCall, round < roundsMax, program)) break;
    rivals = rivalsOf(work, program);
  }
  for (const { shares } of byCall.values()) {
    let total = 0;
    for (const weight of shares.values()) total += weight;
    for (const [owner, weight] of shares) shares.set(owner, weight / total);
  }
  return { byCall, among: [work, ...rivals].map((each) => [each, each.placings]) };
}

const roundsMax = 3;

/** True if something changed hands, so that all is to be weighed again. */
function weighRivals(
  work: Work,
  rivals: ReadonlySet<Work>,
  doubts: ReadonlyMap<Call, Doubt>,
  mayAdopt: boolean,
  program: ProgramState,
): boolean {
  for (const rival of rivals) {
    const works = [work, rival];
    const divided = tryDivide(work, rival, program);
    if (divided === null) {
      // Not tried: as likely as what is.
      for (const { shares } of doubts.values()) shares.set(rival, 1);
      continue;
    }
    if (mayAdopt && adopt(works, divided, program)) return true;
    for (const division of divided.divisions) count(division, divided, works, doubts);
  }
  return false;
}

function count(
  { cost, owners }: Division,
  { calls, current }: Divided,
  works: readonly Work[],
  doubts: ReadonlyMap<Call, Doubt>,
): void {
  const more = cost - current.cost;
  const weight = Math.min(1, Math.exp(-temper * more));
  const byStory = more - rulesMore(owners, calls, works);
  for (const [i, call] of calls.entries()) {
    const doubt = doubts.get(call);
    if (doubt === undefined || owners[i] === current.owners[i]) continue;
    const owner = works[owners[i] ?? -1] ?? null;
    doubt.shares.set(owner, (doubt.shares.get(owner) ?? 0) + weight);
    doubt.storyMargin = Math.min(doubt.storyMargin, byStory);
  }
}

/** What the rules say of a division, against what is. */
function rulesMore(
  owners: Division["owners"],
  calls: readonly Call[],
  works: readonly Work[],
): number {
  let cost = 0;
  for (const [i, call] of calls.entries()) {
    const owner = works[owners[i] ?? -1] ?? null;
    if (owner === call.placed) continue;
    if (owner !== null) cost += ruleCost(call, owner);
    if (call.placed !== null) cost -= ruleCost(call, call.placed);
  }
  return cost;
}
