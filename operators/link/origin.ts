// SPDX-License-Identifier: Apache-2.0
// Which read a call follows from, by what its thread has read in which turn. Whether the rule that
// was applied holds in this program is for reliability.ts to say.

import { readsInBatches } from "./batches.ts";
import { countOf, isExpected, isUnheardOf } from "./callbacks/at_once.ts";
import { runsToEnd } from "./callbacks/callbacks.ts";
import { isGathering } from "./callbacks/gathering.ts";
import { ANSWER, lagMax, likelyWaiting, mayFollow, owes } from "./consequences.ts";
import { delayOf, dueNow, overdue } from "./delays.ts";
import type { Call, Ingress, Origin, ProgramState, Thread, Work } from "./program.ts";

export interface Sending {
  readonly thread: Thread;
  readonly turn: number;
  /** Kind of what is sent. */
  readonly kind: number;
  /** The last call on the same connection, null on a fresh one. */
  readonly lastOnConnection: Call | null;
  /** The connection was opened for this. */
  readonly isFresh: boolean;
  /** It is opened now. */
  readonly isOpening: boolean;
}

export function originOf(sending: Sending, program: ProgramState): Origin | null {
  const { thread, turn, kind, lastOnConnection, isFresh } = sending;
  const { last } = thread;
  const { consequences } = program;
  if (!thread.readsRequests) {
    const sibling = thread.task.find((call) => !call.responded);
    if (sibling !== undefined) return { from: sibling, by: "worker" };
    if (last === null || isOver(last)) return null;
    const isTaskEndSeen = program.open === 1 || program.tasksFinished > 0;
    if (!isTaskEndSeen && !mayFollow(last, kind, consequences)) return null;
    return { from: last, by: "worker" };
  }
  const sure = surelyAtOnce(sending, program);
  if (sure !== null) return { from: sure, by: "at_once" };
  const fromDelay = byDelay(sending, program);
  if (fromDelay !== null) return fromDelay;
  const isSameTurn = last !== null && thread.lastTurn === turn;
  const isFreed = lastOnConnection !== null && lastOnConnection.thread === thread;
  const first = isSameTurn ? firstOfSeveral(thread, kind, program) : null;
  if (first !== null) return { from: first, by: "together" };
  const isJustFreed = isFreed && lastOnConnection === last;
  const flushed = isSameTurn && !isJustFreed ? firstOfTurn(sending, program) : null;
  if (flushed !== null) {
    return { from: flushed, by: isGathering(kind, program) ? "flushed" : "batched" };
  }
  if (isSameTurn) {
    const fits = mayFollow(last, kind, consequences) && !comesFromElsewhere(sending, program);
    const mayWait = isFresh || isJustFreed || !fits;
    const sureFrom = fits ? surelyWaiting : likelyWaiting;
    const from = mayWait ? oldest(thread, kind, -Infinity, sureFrom, program) : null;
    if (from !== null) return { from, by: "waited" };
    const isOneOfMany = last.isWork && last.readWithOthers;
    return isOneOfMany || !fits ? null : { from: last, by: "at_once" };
  }
  const lag = lagMax(consequences);
  if (program.open === 1 && last !== null && last.sent.length === 0) {
    return { from: last, by: "earlier" };
  }
  const idleTurns = isFreed ? turn - lastOnConnection.doneTurn : Infinity;
  const isHandedOn = idleTurns > lag && idleTurns <= lag + handedOnTurns;
  if (isHandedOn) {
    const line = surelyInLine(thread, kind, turn - lag, program);
    if (line.length >= lineFrom && line[0] !== undefined) return { from: line[0], by: "waited" };
  }
  if (!isFresh) {
    const from = oldest(thread, kind, turn - lag, likelyWaiting, program);
    if (from !== null || !isHandedOn) return from === null ? null : { from, by: "earlier" };
  }
  const from = oldest(thread, kind, -Infinity, likelyWaiting, program);
  return from === null ? null : { from, by: isFresh ? "opened" : "waited" };
}

/** What was read last, if such a read leads to this before anything else can be sent. */
function surelyAtOnce(
  { thread, turn, kind, lastOnConnection }: Sending,
  { atOnce, callbacks }: ProgramState,
): Ingress | null {
  const { last, together, acts } = thread;
  if (last === null || thread.lastTurn !== turn || together.length > 1) return null;
  // A pool may have handed it on.
  if (lastOnConnection === last || !runsToEnd(callbacks)) return null;
  return isExpected(last, kind, countOf(kind, acts) - 1, atOnce) ? last : null;
}

/** It comes after the last read of a turn, and never came where only a read can have led to it. */
function comesFromElsewhere(
  { thread: { last, acts, together }, kind, isFresh, isOpening }: Sending,
  program: ProgramState,
): boolean {
  if (last === null || together.length > 1 || !runsToEnd(program.callbacks)) return false;
  // It may be put off to the end of the turn.
  if (delayOf(last, kind, isFresh || isOpening, program) === 0) return false;
  return isUnheardOf(last, kind, countOf(kind, acts) - 1, program.atOnce);
}

/** Of several that were read in one go, the first that likely leads to this and has to nothing. */
function firstOfSeveral(
  { together }: Thread,
  kind: number,
  { consequences }: ProgramState,
): Ingress | null {
  if (together.length <= 1) return null;
  return together.find((each) =>
    !isOver(each) && each.sent.length === 0 &&
    owes(each, kind, consequences) >= likelyWaiting
  ) ?? null;
}

/**
 * Several were read in this turn, one after the other, and led to nothing before this, though what
 * they lead to is sent within the turn: it is gathered, and sent in the order of reading. The first
 * of them, if it is not the last read.
 */
function firstOfTurn(
  { thread: { soFar, waiting, last }, kind, turn, isFresh, isOpening }: Sending,
  program: ProgramState,
): Ingress | null {
  const isGathered = isGathering(kind, program);
  const reads = isGathered ? waiting.filter((each) => turnOf(each) === turn) : soFar.run;
  if (isGathered && last !== null) reads.push(last);
  for (const ingress of reads) {
    if ((ingress === last && !isGathered) || ingress.sent.length > 0 || isOver(ingress)) continue;
    if (delayOf(ingress, kind, isFresh || isOpening, program) !== 0) continue;
    if (owes(ingress, kind, program.consequences) >= surelyWaiting) return ingress;
  }
  return null;
}

/**
 * By the fixed delays of a loop: the read after which it is due now. Where a connection is used
 * again soon after it was freed, and others have waited beyond their turn, it was handed on to the
 * first of them.
 */
function byDelay(sending: Sending, program: ProgramState): Origin | null {
  const { thread, turn, kind, lastOnConnection } = sending;
  const isFresh = sending.isFresh || sending.isOpening;
  const { turnsMax } = program.delays;
  if (turnsMax === 0 && !readsInBatches(program)) return null;
  const isFreed = lastOnConnection !== null && lastOnConnection.thread === thread &&
    turn - lastOnConnection.doneTurn <= turnsMax + handedOnTurns;
  const late = isFresh ? null : overdue(thread, sending, program, isOver);
  if (late !== null && isFreed) return { from: late, by: "waited" };
  const due = dueNow(thread, { kind, turn, isFresh }, program, isOver);
  if (due !== null) {
    return { from: due.from, by: due.count === 1 && late === null ? "due" : "due_first" };
  }
  return null;
}

/** A pool hands a connection on so many turns after its user could have used it again, at most. */
const handedOnTurns = 2;

/** What is read last and fits is passed over only for a read that is as good as sure to wait. */
const surelyWaiting = 0.9;

/** The oldest read of a thread, from a turn on, that likely still has to lead to this kind. */
export function oldest(
  thread: Thread,
  kind: number,
  fromTurn: number,
  sureFrom: number,
  program: ProgramState,
): Ingress | null {
  dropOver(thread);
  const isDue = (ingress: Ingress) =>
    turnOf(ingress) >= fromTurn && !isOver(ingress) &&
    owes(ingress, kind, program.consequences) >= sureFrom;
  let left = lookedAtMax;
  for (const ingress of thread.waiting) {
    if (left-- === 0) break;
    if (isDue(ingress)) return ingress;
  }
  const { last } = thread;
  return last !== null && isDue(last) ? last : null;
}

const lookedAtMax = 256;

function turnOf(ingress: Ingress): number {
  return ingress.isWork ? ingress.turn : ingress.doneTurn;
}

/** Removes what waits no longer once that is the half of it. */
function dropOver(thread: Thread): void {
  const { waiting } = thread;
  const first = waiting[0];
  if (first === undefined || !isOver(first)) return;
  thread.waiting = waiting.filter((each) => !isOver(each));
}

/** So many waiting at once mean that a pool has run out of connections. */
const lineFrom = 4;

/** The first reads, older than a turn, that are as good as sure to wait for a call of this kind. */
function surelyInLine(
  thread: Thread,
  kind: number,
  beforeTurn: number,
  { consequences }: ProgramState,
): Ingress[] {
  const line: Ingress[] = [];
  for (const ingress of thread.waiting) {
    if (line.length >= lineFrom || turnOf(ingress) >= beforeTurn) break;
    if (!isOver(ingress) && owes(ingress, kind, consequences) >= surelyWaiting) line.push(ingress);
  }
  return line;
}

/**
 * The response that an answer to a work follows from, by the turns of a loop that acts later: one
 * whose line of origins begins with that work, else the oldest after which an answer is due.
 */
export function answered(
  work: Work,
  thread: Thread,
  fromTurn: number,
  program: ProgramState,
): Ingress | null {
  for (const ingress of thread.waiting) {
    if (!ingress.isWork && turnOf(ingress) >= fromTurn && beginOf(ingress) === work) return ingress;
  }
  const { last } = thread;
  if (last !== null && !last.isWork && beginOf(last) === work) return last;
  return oldest(thread, ANSWER, fromTurn, likelyWaiting, program);
}

/** Where the line of origins of a call begins; null if that is not known. */
export function beginOf(call: Call): Work | null {
  let from: Ingress | null = call;
  for (let i = 0; i < originsMax && from !== null; i++) {
    if (from.isWork) return from;
    if (from.decision !== null) return from.decision.parent;
    from = from.origin?.from ?? null;
  }
  return null;
}

const originsMax = 8;

/**
 * Nothing can follow from it any more, because its work has ended. That must be sure: one left out
 * too much shifts the whole line.
 */
export function isOver(ingress: Ingress): boolean {
  if (ingress.isWork) return ingress.endNs !== Infinity;
  const { decision } = ingress;
  if (decision === null || decision.confidence < overFrom) return false;
  return decision.parent !== null && decision.parent.endNs !== Infinity;
}

const overFrom = 0.97;
