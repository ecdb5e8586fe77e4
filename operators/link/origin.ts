// SPDX-License-Identifier: Apache-2.0
// Which read a call follows from, by what its thread has read in which turn. Whether the rule that
// was applied holds in this program is for reliability.ts to say.

import { lagMax, mayFollow, owes } from "./consequences.ts";
import type { Call, Ingress, Origin, ProgramState, Thread } from "./program.ts";

export interface Sending {
  readonly thread: Thread;
  readonly turn: number;
  /** Kind of what is sent. */
  readonly kind: number;
  /** The last call on the same connection, null on a fresh one. */
  readonly lastOnConnection: Call | null;
  /** The connection was opened for this. */
  readonly isFresh: boolean;
}

export function originOf(sending: Sending, program: ProgramState): Origin | null {
  const { thread, turn, kind, lastOnConnection, isFresh } = sending;
  const { last } = thread;
  const { consequences } = program;
  if (!thread.readsRequests) {
    const sibling = thread.task.find((call) => !call.responded);
    if (sibling !== undefined) return { from: sibling, by: "worker" };
    if (last === null || !mayFollow(last, kind, consequences)) return null;
    return { from: last, by: "worker" };
  }
  const isSameTurn = last !== null && thread.lastTurn === turn;
  const isFreed = lastOnConnection !== null && lastOnConnection.thread === thread;
  if (isSameTurn) {
    const mayWait = (isFreed && lastOnConnection === last) || !mayFollow(last, kind, consequences);
    const from = mayWait ? oldest(thread, kind, -Infinity, program) : null;
    return from === null ? { from: last, by: "at_once" } : { from, by: "waited" };
  }
  const lag = lagMax(consequences);
  const isHandedOn = isFreed && turn - lastOnConnection.doneTurn > lag;
  if (!isFresh && !isHandedOn) {
    const from = oldest(thread, kind, turn - lag, program);
    if (from !== null) return { from, by: "earlier" };
  }
  const from = oldest(thread, kind, -Infinity, program);
  return from === null ? null : { from, by: "waited" };
}

/** The oldest read that leads to something of this kind and has not yet, from a turn on. */
export function oldest(
  thread: Thread,
  kind: number,
  fromTurn: number,
  program: ProgramState,
): Ingress | null {
  dropOver(thread);
  let left = lookedAtMax;
  for (const ingress of thread.waiting) {
    if (left-- === 0) break;
    if (fits(ingress, kind, fromTurn, program)) return ingress;
  }
  const { last } = thread;
  return last !== null && fits(last, kind, fromTurn, program) ? last : null;
}

function fits(ingress: Ingress, kind: number, fromTurn: number, program: ProgramState): boolean {
  return turnOf(ingress) >= fromTurn && owes(ingress, kind, program.consequences);
}

const lookedAtMax = 64;

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

/** Nothing can follow from it any more, because its work has ended. */
function isOver(ingress: Ingress): boolean {
  const work = ingress.isWork ? ingress : ingress.decision?.parent ?? null;
  return work !== null && work.endNs !== Infinity;
}
