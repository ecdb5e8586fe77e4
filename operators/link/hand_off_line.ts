// SPDX-License-Identifier: Apache-2.0
// The two lines of a program with workers: requests that wait for a worker, and results of workers
// that wait to be written by another thread. First in, first out, as far as the program keeps to
// it.

import { ANSWER, likelyWaiting, owes, usuallyLeadsTo } from "./consequences.ts";
import type { Call, ProgramState, Work } from "./program.ts";
import { oldestOpen } from "./works.ts";

/** The oldest work that nothing was sent for, and that leads to such a call. */
export function nextUnstarted(kind: number, program: ProgramState): Work | null {
  const { unstarted, consequences } = program;
  let over = 0;
  while (over < unstarted.length && unstarted[over]?.endNs !== Infinity) over++;
  if (over > 0) unstarted.splice(0, over);
  for (const work of unstarted) {
    if (work.endNs === Infinity && owes(work, kind, consequences) >= likelyWaiting) return work;
  }
  return null;
}

/** Takes the work that a call was sent for out of the line of those without a call. */
export function started(call: Call, program: ProgramState): void {
  const from = call.handed ?? (call.origin?.from.isWork ? call.origin.from : call.holder);
  if (from === null || program.unstarted.length === 0) return;
  const at = program.unstarted.indexOf(from);
  if (at >= 0) program.unstarted.splice(at, 1);
}

/** The line of works without a call had a wrong one taken out: that one goes back. */
export function realign(first: Call | undefined, work: Work, { unstarted }: ProgramState): void {
  const handed = first?.handed ?? null;
  if (handed === null || handed === work) return;
  const at = unstarted.indexOf(work);
  if (at < 0) return;
  unstarted.splice(at, 1);
  if (handed.endNs !== Infinity) return;
  const later = unstarted.findIndex((each) => each.order > handed.order);
  unstarted.splice(later < 0 ? unstarted.length : later, 0, handed);
}

/** A thread that reads requests has answered one: with the result of the worker ready longest. */
export function handBack(work: Work, program: ProgramState): void {
  const { unanswered, consequences } = program;
  // Of what was sent before, nobody is open who could have sent it.
  const oldest = oldestOpen(program);
  let ready: Call | null = null;
  let kept = 0;
  for (const call of unanswered) {
    if (!isReady(call) || call.orderBefore <= oldest) continue;
    unanswered[kept++] = call;
    if (ready === null && usuallyLeadsTo(call, ANSWER, consequences)) ready = call;
  }
  unanswered.length = kept;
  if (ready === null) return;
  ready.handedBack = work;
  work.claimed.push(ready);
  ready.sent.push(ANSWER);
}

/** Nothing came of its result so far. */
const isReady = ({ after, finished, handedBack }: Call): boolean =>
  after === null && finished === null && handedBack === null;
