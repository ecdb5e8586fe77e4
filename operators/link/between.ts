// SPDX-License-Identifier: Apache-2.0
// What a loop sent between two reads of one turn.
//
// A loop that runs each callback to its end (libuv, nginx) sends all that follows at once from what
// it has read before it reads anything else. So what lies between two reads of one turn follows from
// the first of them, however many requests are open. What comes after the last read of a turn may as
// well be due to timers, or was put off to the end of the turn.

import { likelyWaiting, owes } from "./consequences.ts";
import type { Opening } from "./events/connect.ts";
import type { Call, Ingress, ProgramState, Thread } from "./program.ts";

export interface Callbacks {
  /** Reads with another one after them in their turn: those that led to something before it. */
  acted: number;
  passed: number;
  /** What was sent in turns in which something had been read before, and in which nothing had. */
  prompt: number;
  late: number;
}

export const startCallbacks = (): Callbacks => ({ acted: 0, passed: 0, prompt: 0, late: 0 });

/**
 * Whether this is such a loop. Others first read all that is ready (HAProxy), or put off to the next
 * turn what follows (asyncio).
 */
function runsToEnd({ acted, passed, prompt, late }: Callbacks): boolean {
  return acted >= actedFrom && acted >= actedShare * (acted + passed) &&
    late <= lateShareMax * (prompt + late);
}

const actedFrom = 4;
const actedShare = 0.1;
const lateShareMax = 0.6;
const fadeFrom = 1_024;

function fade(callbacks: Callbacks): void {
  callbacks.acted /= 2;
  callbacks.passed /= 2;
  callbacks.prompt /= 2;
  callbacks.late /= 2;
}

/** It sends, answers or opens a connection. */
export function noteAct(thread: Thread, turn: number, { callbacks }: ProgramState): void {
  if (!thread.readsRequests) return;
  thread.hasActed = true;
  if (thread.lastTurn === turn) callbacks.prompt++;
  else callbacks.late++;
}

/** Sent, or answered, since the last read. */
export type Sent =
  | { readonly what: "call" | "opening"; readonly by: Call | Opening; readonly from: Ingress }
  | { readonly what: "answer"; readonly from: Call };

/** A call, or the opening of a connection for one, that follows at once from what was read last. */
export function noteSent(
  by: Call | Opening,
  from: Ingress,
  { thread, kind, turn }: { readonly thread: Thread; readonly kind: number; readonly turn: number },
  program: ProgramState,
): void {
  if (!isReadAlone(from, thread, turn) || isAwaited(kind, from, thread, program)) return;
  add({ what: "call", by, from }, thread);
}

/** An answer that follows at once from the response to a call, read last. */
export function noteAnswered(from: Call, thread: Thread, turn: number): void {
  if (isReadAlone(from, thread, turn)) add({ what: "answer", from }, thread);
}

function isReadAlone(from: Ingress, thread: Thread, turn: number): boolean {
  return thread.readsRequests && thread.last === from && thread.lastTurn === turn &&
    thread.together.length === 1;
}

/** Others wait to send such a call, and may do so because a call of another one has ended. */
function isAwaited(
  kind: number,
  from: Ingress,
  { waiting }: Thread,
  { consequences }: ProgramState,
): boolean {
  if (from.isWork) return false;
  let left = lookedAtMax;
  for (const each of waiting) {
    if (left-- === 0) return true;
    if (each !== from && owes(each, kind, consequences) >= likelyWaiting) return true;
  }
  return false;
}

const lookedAtMax = 64;

function add(sent: Sent, { between }: Thread): void {
  if (between.length < betweenMax) between.push(sent);
}

const betweenMax = 256;

/** Something is read: what was sent since the read before, in the same turn, lies between. */
export function endCallback(thread: Thread, turn: number, program: ProgramState): void {
  const { between, together, hasActed } = thread;
  const { callbacks } = program;
  thread.hasActed = false;
  if (thread.readsRequests && thread.lastTurn === turn && together.length === 1) {
    if (hasActed) callbacks.acted++;
    else callbacks.passed++;
    if (callbacks.acted + callbacks.passed > fadeFrom) fade(callbacks);
  }
  if (between.length === 0) return;
  if (thread.lastTurn === turn && runsToEnd(callbacks)) {
    for (const sent of between) confirm(sent, program);
  }
  between.length = 0;
}

function confirm(sent: Sent, { confirmed }: ProgramState): void {
  if (sent.what === "answer") {
    if (sent.from.afterBy !== "same_turn") return;
    sent.from.afterBy = "between";
    confirmed.push(sent.from);
    return;
  }
  const { by, from } = sent;
  if (by.origin?.from !== from) return;
  by.origin = { from, by: "between" };
}
