// SPDX-License-Identifier: Apache-2.0
// What a loop sent between two reads of one turn.
//
// A loop that runs each callback to its end (libuv, nginx) sends all that follows at once from what
// it has read before it reads anything else. So what lies between two reads of one turn follows
// from the first of them, however many requests are open. What comes after the last read of a turn
// may as well be due to timers, or was put off to the end of the turn.

import { countOf, isExpected, learnAtOnce } from "./at_once.ts";
import { ANSWER } from "../consequences.ts";
import { fadeCallbacks, runsToEnd } from "./callbacks.ts";
import { endFlush } from "./flush.ts";
import type { Opening } from "../events/connect.ts";
import type { Sending } from "../origin.ts";
import type { Call, Ingress, ProgramState, Thread } from "../program.ts";

/** It sends, answers or opens a connection. */
export function noteAct(
  thread: Thread,
  kind: number,
  turn: number,
  { callbacks }: ProgramState,
): void {
  if (!thread.readsRequests) return;
  if (thread.acts.length < betweenMax) thread.acts.push(kind);
  if (thread.lastTurn === turn) callbacks.prompt++;
  else callbacks.late++;
}

/** Sent, or answered, since the last read. */
export interface Sent {
  /** Null: an answer. */
  readonly by: Call | Opening | null;
  readonly from: Ingress;
  readonly kind: number;
  /** How many of that kind were sent since that read before. */
  readonly before: number;
}

/** A call, or the opening of a connection for one, that follows at once from what was read last. */
export function noteSent(
  by: Call | Opening,
  from: Ingress,
  { thread, kind, turn, lastOnConnection }: Sending,
): void {
  if (!isReadAlone(from, thread, turn)) return;
  // A pool may have handed it on to someone else.
  if (lastOnConnection === from) return;
  add(by, from, kind, thread);
}

/** An answer that follows at once from the response to a call, read last. */
export function noteAnswered(from: Call, thread: Thread, turn: number): void {
  if (isReadAlone(from, thread, turn)) add(null, from, ANSWER, thread);
}

function isReadAlone(from: Ingress, thread: Thread, turn: number): boolean {
  return thread.readsRequests && thread.last === from && thread.lastTurn === turn &&
    thread.together.length === 1;
}

function add(
  by: Sent["by"],
  from: Ingress,
  kind: number,
  { between, acts }: Thread,
): void {
  if (between.length >= betweenMax) return;
  between.push({ by, from, kind, before: countOf(kind, acts) - 1 });
}

const betweenMax = 256;

/** Something is read: what was sent since the read before, in the same turn, lies between. */
export function endCallback(thread: Thread, turn: number, program: ProgramState): void {
  const { between, together, acts, last } = thread;
  const { callbacks } = program;
  const isSameTurn = thread.lastTurn === turn;
  if (last !== null && thread.readsRequests && isSameTurn && together.length === 1) {
    const reads = last.isWork ? callbacks.requests : callbacks.responses;
    if (acts.length > 0) reads.acted++;
    else if (program.open > 1) reads.passed++;
    learnAtOnce(last, acts, program.atOnce);
    fadeCallbacks(callbacks);
  }
  acts.length = 0;
  if (between.length > 0 && runsToEnd(callbacks)) {
    for (const sent of between) {
      const { by, from, kind, before } = sent;
      // A connection may be opened when a name was looked up, by another thread.
      const isSure = isSameTurn && !(by !== null && "peer" in by);
      if (isSure || isExpected(from, kind, before, program.atOnce)) confirm(sent, program);
    }
  }
  between.length = 0;
  endFlush(thread, isSameTurn, program);
}

function confirm({ by, from }: Sent, { confirmed }: ProgramState): void {
  if (by !== null) {
    if (by.origin?.from === from) by.origin = { from, by: "between" };
  } else if (!from.isWork && from.afterBy === "same_turn") {
    from.afterBy = "between";
    confirmed.push(from);
  }
}
