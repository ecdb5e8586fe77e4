// SPDX-License-Identifier: Apache-2.0
// Evidence 6: who wakes whom. A thread that waits for a result sleeps, at any load, so whoever
// wakes it has just finished what it waited for. A worker that waits for something to do is woken
// by who hands it over; one that is busy is not, so this tells less the more there is to do.

import type { Call, Ingress, ProgramState, Thread, Work } from "../program.ts";
import { tellPool } from "./pool.ts";

/** What a thread was woken for, until it reads something itself. */
export interface Waking {
  /** What the thread that woke it had read last, or what it was woken for in its turn. */
  readonly cause: Ingress;
  readonly atNs: number;
}

/** Both threads did socket I/O before; of others it is not told. */
export function noteWake(
  { tid, wokenTid }: { readonly tid: number; readonly wokenTid: number },
  atNs: number,
  program: ProgramState,
): void {
  const waker = program.threads.get(tid);
  const woken = program.threads.get(wokenTid);
  if (waker === undefined || woken === undefined) return;
  const cause = causeOf(waker);
  if (cause === null) return;
  const waiting = waitsFor(woken);
  if (waiting === null) {
    if (!woken.readsRequests) woken.woken = { cause, atNs };
    return;
  }
  if (!cause.isWork && isResult(cause, waker)) giveBack(cause, waiting, program);
}

/** What a thread works for, as far as it is known without a doubt. */
function causeOf({ last, open, woken, togetherNs }: Thread): Ingress | null {
  const [only] = open;
  if (only !== undefined) return open.length === 1 || last === null ? only : last;
  if (woken === null) return last;
  const isJustRead = last !== null && woken.atNs - togetherNs < lockNs;
  return isJustRead ? last : woken.cause;
}

/** Who is woken so soon after it has read something has waited for a lock on the way. */
const lockNs = 1_000_000;

/** The only request that a thread holds: it does nothing else until that is answered. */
function waitsFor({ open }: Thread): Work | null {
  return open.length === 1 ? open[0] ?? null : null;
}

/** The response was the last that the thread has read, and it did nothing with it so far. */
function isResult(call: Call, { last, readsRequests }: Thread): boolean {
  return call === last && call.responded && call.after === null && !readsRequests;
}

/** The first thread that is woken after a response is the one that waits for it. */
function giveBack(call: Call, work: Work, program: ProgramState): void {
  if (call.wakes !== null) return;
  call.wakes = work;
  tellPool(call, work, program);
  work.claimed.push(call);
}

/** A thread has taken up what it was woken for, if it was. */
export function takeWaking(thread: Thread): Ingress | null {
  const { woken } = thread;
  thread.woken = null;
  return woken === null ? null : woken.cause;
}

/** The thread that waited for the response holds this request. */
export function waitedFor({ wakes }: Call): Work | null {
  return wakes;
}

/** What the thread was woken for that sent the call. */
export function wokenFor({ wokenFor }: Call): Ingress | null {
  return wokenFor;
}
