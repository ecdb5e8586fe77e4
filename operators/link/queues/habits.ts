// SPDX-License-Identifier: Apache-2.0
// What is done for a message, call by call, as learned from messages that were worked on alone: so
// that of several that were read in one go it can be told where the work on one ends and that on
// the next begins.

import { LIMITS } from "../../../model/limits.ts";

/** In the place of a call: nothing more is done. */
export const DONE = -1;

/** How often what came next, by what had been done. */
export interface Habits {
  readonly after: Map<number, Map<number, number>>;
}

export const startHabits = (): Habits => ({ after: new Map() });

/** Nothing has been done for a message of this kind yet. */
export const untouched = (kind: number): number => mixed(kind, 0x5bd1e995);

/** The same with one more call. */
export const continued = (done: number, call: number): number => mixed(done, call + 2);

/** All that was done for a message, in order of sending. */
export function learnHabit(kind: number, calls: readonly number[], { after }: Habits): void {
  let done = untouched(kind);
  for (const next of [...calls.slice(0, callsMax), DONE]) {
    let counts = after.get(done);
    if (counts === undefined) {
      if (after.size >= LIMITS.linkKinds.value) return;
      counts = new Map();
      after.set(done, counts);
    }
    if (counts.size < kindsMax || counts.has(next)) counts.set(next, (counts.get(next) ?? 0) + 1);
    done = continued(done, next);
  }
}

const callsMax = 64;
const kindsMax = 64;

/** Probability that this comes next; what was never seen to is unlikely, not impossible. */
export function likelihood(done: number, next: number, { after }: Habits): number {
  const counts = after.get(done);
  let total = 0;
  for (const n of counts?.values() ?? []) total += n;
  const unseen = next === DONE ? doneUnseen : callUnseen;
  return ((counts?.get(next) ?? 0) + doubt * unseen) / (total + doubt);
}

/** Observations that what is not known counts for. */
const doubt = 0.5;
const doneUnseen = 0.5;
const callUnseen = 0.1;

function mixed(hash: number, value: number): number {
  let h = Math.imul(hash ^ Math.imul(value, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 15;
  return Math.imul(h, 0xc2b2ae35) ^ (h >>> 13);
}
