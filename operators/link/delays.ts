// SPDX-License-Identifier: Apache-2.0
// How many turns of a loop lie between a read and what follows from it. On loops that run their
// tasks in steps this is fixed by the program's text, call by call, whatever the load: on asyncio
// two turns after it read a request, say, or six if it has to connect. So what is sent in a turn
// follows from what was read exactly so many turns ago; of several, in the order of reading.

import { readsInBatches } from "./batches.ts";
import { ANSWER, likelyWaiting, owes } from "./consequences.ts";
import type { Ingress, ProgramState, Thread } from "./program.ts";

interface Delay {
  turns: number;
  seen: number;
  exact: number;
}

export interface Delays {
  /** By what was read and what was sent. */
  readonly byPair: Map<number, Delay>;
  /** The longest that was seen often. */
  turnsMax: number;
}

export const startDelays = (): Delays => ({ byPair: new Map(), turnsMax: 0 });

/** It is known that this was sent because of that. */
export function learnDelay(
  from: Ingress,
  sent: { readonly kind: number; readonly isFresh: boolean; readonly turn: number },
  { delays }: ProgramState,
): void {
  const turns = sent.turn - turnOf(from);
  if (turns < 0 || turns > turnsMax) return;
  const key = keyOf(from, sent.kind, sent.isFresh);
  const known = delays.byPair.get(key);
  if (known === undefined) {
    if (delays.byPair.size < pairsMax) delays.byPair.set(key, { turns, seen: 1, exact: 1 });
    return;
  }
  known.seen++;
  if (known.turns === turns) known.exact++;
  else if (known.exact * 2 < known.seen) {
    known.turns = turns;
    known.seen = known.exact = 1;
  }
  if (known.seen > fadeFrom) {
    known.seen /= 2;
    known.exact /= 2;
  }
  if (known.exact >= provenFrom) delays.turnsMax = Math.max(delays.turnsMax, known.turns);
}

/** What follows later than this is not counted in turns. */
const turnsMax = 32;
const pairsMax = 4_096;
const fadeFrom = 512;
const provenFrom = 4;
const exactFrom = 0.9;

/** The delay between the two; null if it is not known or not fixed. */
export function delayOf(
  from: Ingress,
  kind: number,
  isFresh: boolean,
  { delays }: ProgramState,
): number | null {
  const known = delays.byPair.get(keyOf(from, kind, isFresh));
  if (known === undefined || known.seen < provenFrom) return null;
  return known.exact >= known.seen * exactFrom ? known.turns : null;
}

export interface Due {
  /** The oldest. */
  readonly from: Ingress;
  readonly count: number;
}

/** The reads of a loop whose consequence of this kind is due in this turn, not at once. */
export function dueNow(
  thread: Thread,
  { kind, isFresh, turn }: {
    readonly kind: number;
    readonly isFresh: boolean;
    readonly turn: number;
  },
  program: ProgramState,
  isOver: (ingress: Ingress) => boolean,
): Due | null {
  const { turnsMax } = program.delays;
  const isBatched = readsInBatches(program);
  if (turnsMax === 0 && !isBatched) return null;
  let from: Ingress | null = null;
  let count = 0;
  const look = (ingress: Ingress): void => {
    const age = turn - turnOf(ingress);
    if ((age === 0 && !isBatched) || delayOf(ingress, kind, isFresh, program) !== age) return;
    if (isOver(ingress) || owes(ingress, kind, program.consequences) < likelyWaiting) return;
    from = ingress;
    count++;
  };
  const { last, waiting } = thread;
  if (last !== null) look(last);
  for (let i = waiting.length - 1; i >= 0; i--) {
    const ingress = waiting[i];
    if (ingress === undefined || turn - turnOf(ingress) > turnsMax) break;
    if (ingress !== last) look(ingress);
  }
  return from === null ? null : { from, count };
}

/** The oldest read that surely waits for its consequence although its turn has come and gone. */
export function overdue(
  { waiting }: Thread,
  { kind, turn }: { readonly kind: number; readonly turn: number },
  program: ProgramState,
  isOver: (ingress: Ingress) => boolean,
): Ingress | null {
  let left = lookedAtMax;
  for (const ingress of waiting) {
    if (left-- === 0) break;
    const delay = delayOf(ingress, kind, false, program);
    if (delay === null || turn - turnOf(ingress) <= delay || isOver(ingress)) continue;
    if (owes(ingress, kind, program.consequences) >= surelyWaiting) return ingress;
  }
  return null;
}

const lookedAtMax = 256;
const surelyWaiting = 0.9;

function turnOf(ingress: Ingress): number {
  return ingress.isWork ? ingress.turn : ingress.doneTurn;
}

/** What was read by kind; what is sent by kind, and whether it needs a connection first. */
function keyOf(from: Ingress, kind: number, isFresh: boolean): number {
  const read = from.kind * 2 + (from.isWork ? 0 : 1);
  return (read * 65_537 + kind - ANSWER) * 2 + (isFresh ? 1 : 0);
}
