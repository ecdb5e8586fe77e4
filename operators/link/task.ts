// SPDX-License-Identifier: Apache-2.0
// The task of a worker that has answered a request: which of the calls that it made since its last
// answer belong to it. Not all need to: a step of other work may have ended unseen in between.

import type { Call, ProgramState, Thread, Work } from "./program.ts";
import { addGap, bucketOf, shareOfLonger } from "./shape/gaps.ts";
import { mayMake } from "./trust/repertoire.ts";
import { isShared } from "./workers/pool.ts";

/** In order; the calls that lead up to the answer without a break. */
export function taskOf(work: Work, { task }: Thread, program: ProgramState): readonly Call[] {
  let first = task.length;
  let nextNs = work.answerNs;
  // Where several workers make the calls of a request, only the last one is surely this one's.
  const least = program.pool !== null && isShared(program.pool) ? task.length - 1 : 0;
  while (first > least) {
    const call = task[first - 1];
    if (call === undefined || !isSoon(call, nextNs, program)) break;
    if (!mayMake(task.slice(first - 1), work, program.repertoire)) break;
    nextNs = call.sentNs;
    first--;
  }
  return task.slice(first);
}

/** What comes later than usual after a response follows from something that was not seen. */
function isSoon(call: Call, nextNs: number, { taskGaps }: ProgramState): boolean {
  const doneNs = Number(call.exchange.response?.emitNs ?? 0);
  const gapUs = Math.max(0, nextNs - doneNs) / 1_000;
  addGap(taskGaps, bucketOf(gapUs), 1);
  return shareOfLonger(taskGaps, gapUs, slowerMax) >= longShare;
}

/** A program may for once take so many times as long as it does in most cases. */
const slowerMax = 16;
const longShare = 0.3;
