// SPDX-License-Identifier: Apache-2.0
// Who a call is given to for the time being, and what rules and time say of that.

import { encloses } from "../evidence/nesting.ts";
import type { Call, ProgramState, Work } from "../program.ts";

/** Null: nobody's, a call that the program makes of its own accord. */
export type Owner = Work | null;

/** Of a call that is nobody's: less likely than any but the unlikeliest story. */
export const nobodysCost = 24;

/** Of a call that was still under way when its request had been answered. */
export const outsideCost = 25;

export function own(call: Call, owner: Owner, program: ProgramState): void {
  const { placed } = call;
  const { strays } = program;
  if (placed === owner) return;
  if (placed === null) strays.delete(call);
  else {
    placed.story = placed.story.filter((each) => each !== call);
    placed.placings++;
  }
  call.placed = owner;
  if (owner === null) return;
  owner.placings++;
  const { story } = owner;
  let at = story.length;
  while (at > 0 && (story[at - 1]?.sentNs ?? 0) > call.sentNs) at--;
  story.splice(at, 0, call);
}

/** It is still looked for an owner, as one of few. */
export function stray(call: Call, { strays }: ProgramState): void {
  if (strays.size < straysMax) strays.add(call);
}

const straysMax = 8;

export function mayHold(work: Work, call: Call): boolean {
  return work.story.length < storyMax && isBefore(work, call) && encloses(work, call);
}

/** It had been read when the call was sent: records of one process are in order. */
export const isBefore = (work: Work, call: Call): boolean => work.order < call.orderBefore;

/** Calls of one request beyond these are not moved about. */
const storyMax = 24;

/**
 * What the rules say, as a cost. Where they err, they do so towards a neighbour in some line, hence
 * all that they leave to others counts for each of them.
 */
export function ruleCost(call: Call, work: Work): number {
  const { weighed } = call;
  if (weighed === null) return 0;
  const id = work.exchange.spanId;
  const { parent, confidence } = weighed;
  if (parent === work) return -Math.log(Math.max(confidence, shareMin));
  const named = weighed.candidates.find(({ parent_id }) => parent_id === id);
  const share = named === undefined || named.score < 1 - confidence ? 1 - confidence : named.score;
  return -Math.log(Math.max(share, shareMin));
}

const shareMin = 0.001;
