// SPDX-License-Identifier: Apache-2.0
// What follows from several reads and is sent in one go: what a loop puts off to the end of a turn
// (calls gathered on a shared connection, immediates), and what follows from messages that came
// together. Both are sent in the order of reading.
//
// Of one call alone the order says little: a read that leads to nothing this time, or something
// sent by a timer, and all that come after it are given to the wrong one. Where as many were sent
// as the reads lead to, neither has happened.

import { expectedOf, likelyWaiting, owes, owesAny } from "../consequences.ts";
import { delayOf } from "../delays.ts";
import type { Call, Ingress, Origin, ProgramState, Thread } from "../program.ts";
import { isExpected } from "./at_once.ts";
import { isGathering } from "./gathering.ts";

/** A call was sent in the turn under way, after something had been read in it. */
export function noteFlushed(call: Call, { flush }: Thread): void {
  if (flush.length < flushMax) flush.push(call);
}

/** Calls after one read that are told apart; reads of one turn. */
const flushMax = 256;

export function noteRead(ingress: Ingress, { turnReads }: Thread): void {
  if (turnReads.length < flushMax) turnReads.push(ingress);
}

/** Something else is read: in the same turn, or the turn is over. */
export function endFlush(thread: Thread, isSameTurn: boolean, program: ProgramState): void {
  const { flush, together, turnReads } = thread;
  if (flush.length > 0 && flush.length < flushMax && turnReads.length < flushMax) {
    const open = flush.filter(isOpen);
    for (const [at, { kind }] of open.entries()) {
      if (open.findIndex((call) => call.kind === kind) < at) continue;
      const calls = open.filter((call) => call.kind === kind);
      if (!isSameTurn && match(calls, turnReads, program)) continue;
      if (together.length > 1 && match(calls, together, program)) continue;
      if (!isSameTurn) confirmWhole(calls, kind, turnReads, program);
    }
  }
  flush.length = 0;
  if (!isSameTurn) turnReads.length = 0;
}

const isOpen = ({ origin, decision }: Call): boolean =>
  decision === null && origin?.by !== "between" && origin?.by !== "matched";

/** Gives the calls to the reads in order, if there are as many as the reads lead to. */
function match(calls: readonly Call[], reads: readonly Ingress[], program: ProgramState): boolean {
  const [first] = calls;
  if (first === undefined || reads.length < 2) return false;
  const due: Ingress[] = [];
  for (const ingress of reads) {
    const n = dueOf(ingress, first.kind, reads.at(-1) === ingress, program);
    if (n === null) return false;
    for (let i = 0; i < n && due.length <= calls.length; i++) due.push(ingress);
  }
  if (due.length !== calls.length) return false;
  // Others may have waited for a connection of their own.
  const isSame = calls.every(({ origin }, at) =>
    (isPutOff(origin) || origin?.by === "together") && origin?.from === due[at]
  );
  if (!isSame && !isGathering(first.kind, program)) return false;
  for (const [at, call] of calls.entries()) {
    const from = due[at];
    if (from !== undefined) followInstead(call, from, program);
  }
  return true;
}

/** All were given to reads of the turn in order, and none of these is left that leads to one. */
function confirmWhole(
  calls: readonly Call[],
  kind: number,
  reads: readonly Ingress[],
  { consequences }: ProgramState,
): void {
  if (!calls.every(({ origin }) => isPutOff(origin))) return;
  if (reads.some((each) => owes(each, kind, consequences) >= likelyWaiting)) return;
  for (const call of calls) {
    if (call.origin !== null) call.origin = { from: call.origin.from, by: "matched" };
  }
}

const isPutOff = (origin: Origin | null): boolean =>
  origin?.by === "flushed" || origin?.by === "batched";

/** How many such calls follow from it in this turn, but not at once; null: that is not known. */
function dueOf(
  ingress: Ingress,
  kind: number,
  isLast: boolean,
  program: ProgramState,
): number | null {
  const expected = expectedOf(ingress, kind, program.consequences);
  if (expected === null) return null;
  const n = Math.round(expected);
  if (Math.abs(expected - n) > doubtMax) return null;
  if (n === 0) return 0;
  const delay = delayOf(ingress, kind, false, program);
  if (delay === null) return null;
  if (delay !== 0) return 0;
  if (isLast) return n;
  let atOnce = 0;
  while (atOnce < n && isExpected(ingress, kind, atOnce, program.atOnce)) atOnce++;
  return n - atOnce;
}

const doubtMax = 0.05;

/** Takes the place of what the call was taken to follow from. */
function followInstead(call: Call, from: Ingress, program: ProgramState): void {
  const before = call.origin?.from ?? null;
  call.origin = { from, by: "matched" };
  if (before === from) return;
  if (before !== null) {
    const at = before.sent.lastIndexOf(call.kind);
    if (at >= 0) before.sent.splice(at, 1);
    if (!before.isWork && before.after === call) before.after = null;
  }
  from.sent.push(call.kind);
  if (!from.isWork && from.after === null) from.after = from.learned ? from : call;
  call.likely = from.isWork ? from : from.decision?.parent ?? from.guess ?? from.likely;
  call.guess = call.likely;
  const { waiting } = from.thread;
  const at = waiting.indexOf(from);
  if (at >= 0 && !owesAny(from, program.consequences)) waiting.splice(at, 1);
}
