// SPDX-License-Identifier: Apache-2.0
// Evidence 7: a call lies inside its parent in time. It excludes candidates; where one is left, it
// points at it.

import type { Call, ProgramState, Work } from "../program.ts";

/** What may be out of order between records of one process. */
const slackNs = 100_000;

/** False if the work was read too late, or had ended before the call did. */
export function encloses(work: Work, call: Call): boolean {
  if (work.readNs > call.sentNs + slackNs) return false;
  const endNs = call.doneNs === Infinity ? call.sentNs : call.doneNs;
  return work.endNs + slackNs >= (work.cut ? call.sentNs : endNs);
}

/**
 * The work was answered, and the call sent, after one and the same read, or after the response to
 * what was sent in that way: a loop that runs its callbacks to their end goes on after the answer.
 */
export function goesOn(work: Work, { origin }: Call): boolean {
  if (origin?.by !== "between") return false;
  const { from } = origin;
  if (from.isWork || from.decision?.parent === work) return true;
  return Number(from.exchange.response?.emitNs ?? Infinity) <= work.endNs + slackNs;
}

/** Works that enclose the call, the latest read first, at most `max`; and how many there are. */
export function enclosing(
  call: Call,
  program: ProgramState,
  max: number,
): { works: Work[]; count: number } {
  const works: Work[] = [];
  let count = 0;
  const { firstOrder } = program;
  let open = call.openBefore;
  for (let order = call.orderBefore - 1; order >= firstOrder && open > 0; order--) {
    const work = program.works[order - firstOrder];
    if (work === undefined || work.endNs < call.sentNs) continue;
    open--;
    if (!encloses(work, call)) continue;
    count++;
    if (works.length < max) works.push(work);
  }
  return { works, count };
}
