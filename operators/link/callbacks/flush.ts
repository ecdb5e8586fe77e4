// SPDX-License-Identifier: Apache-2.0
// What a loop puts off to the end of a turn and sends then, in the order of reading: calls that are
// gathered on a shared connection, what follows by immediates.
//
// Of one call alone the order says little: a read that leads to nothing this time, or something sent
// by a timer, and all of that turn are given to the wrong one. Where as many were sent as the reads
// of the turn lead to, neither has happened.

import { likelyWaiting, owes } from "../consequences.ts";
import type { Call, Ingress, ProgramState, Thread } from "../program.ts";

/** A call was sent, in a turn in which something was read. */
export function noteFlushed(call: Call, thread: Thread): void {
  if (thread.flush.length < flushMax) thread.flush.push(call);
}

/** Calls of one turn that are told apart. */
const flushMax = 256;

/** The turn is over. */
export function endTurn(thread: Thread, program: ProgramState): void {
  const { flush } = thread;
  if (flush.length === 0) return;
  const isWhole = flush.length < flushMax;
  for (const call of flush) {
    if (!isWhole || !isPutOff(call)) continue;
    const isMatched = flush.every((each) => each.kind !== call.kind || isFixedIn(each)) &&
      !isOwed(call.kind, thread, program);
    if (isMatched && call.origin !== null) call.origin = { from: call.origin.from, by: "matched" };
  }
  flush.length = 0;
}

const isPutOff = ({ origin }: Call): boolean =>
  origin?.by === "flushed" || origin?.by === "batched";

const isFixedIn = (call: Call): boolean =>
  isPutOff(call) || call.origin?.by === "matched" || call.origin?.by === "between";

/** Something that was read in the turn has not led to such a call, though it likely does. */
function isOwed(kind: number, thread: Thread, program: ProgramState): boolean {
  const { waiting, last, lastTurn } = thread;
  const isLeft = (ingress: Ingress): boolean =>
    turnOf(ingress) === lastTurn && owes(ingress, kind, program.consequences) >= likelyWaiting;
  if (last !== null && isLeft(last)) return true;
  for (let i = waiting.length - 1; i >= 0; i--) {
    const ingress = waiting[i];
    if (ingress === undefined || turnOf(ingress) < lastTurn) break;
    if (isLeft(ingress)) return true;
  }
  return false;
}

function turnOf(ingress: Ingress): number {
  return ingress.isWork ? ingress.turn : ingress.doneTurn;
}
