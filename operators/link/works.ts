// SPDX-License-Identifier: Apache-2.0
// The works of a program: kept in order of reading, found by the ids they carry, forgotten in time.

import { LIMITS } from "../../model/limits.ts";
import { identityKeys } from "./evidence/identity.ts";
import { forgetOldCalls } from "./shape/line.ts";
import type { ProgramState, Work } from "./program.ts";

export function addWork(work: Work, program: ProgramState): void {
  program.works.push(work);
  program.unstarted.push(work);
  program.open++;
  indexIdentity(work, program);
}

export const onlyOne = (program: ProgramState): Work | null =>
  program.open === 1 ? onlyOpen(program) : null;

/** The only work that is open. */
export function onlyOpen(program: ProgramState): Work | null {
  for (let i = program.works.length - 1; i >= 0; i--) {
    const work = program.works[i];
    if (work !== undefined && work.endNs === Infinity) return work;
  }
  return null;
}

/** Order of the oldest work that is open; of the next one, if none is. */
export function oldestOpen(program: ProgramState): number {
  const { works, firstOrder } = program;
  let order = Math.max(program.oldestOpen, firstOrder);
  for (; order < program.nextOrder; order++) {
    if (works[order - firstOrder]?.endNs === Infinity) break;
  }
  program.oldestOpen = order;
  return order;
}

/**
 * Forgets works that can be nobody's parent any more; returns how many open ones were given up. It
 * looks once in so many works, because taking one off the front moves all others.
 */
export function forgetWorks(program: ProgramState): number {
  const { works, pending } = program;
  if (program.nextOrder < program.nextForgetting) return 0;
  program.nextForgetting = program.nextOrder + forgettingEvery;
  program.unstarted = program.unstarted.filter((work) => work.endNs === Infinity);
  const neededNs = Math.min(pending[0]?.sentNs ?? Infinity, program.nowNs - keptNs);
  let gone = 0;
  let givenUp = 0;
  for (; gone < works.length; gone++) {
    const work = works[gone];
    if (work === undefined) break;
    const isFull = works.length - gone > LIMITS.openPerProgram.value;
    if (work.endNs >= neededNs && !isFull) break;
    if (work.endNs === Infinity) givenUp++;
    forgetIdentity(work, program);
  }
  forgetOldCalls(program.lines, neededNs - keptNs);
  works.splice(0, gone);
  program.firstOrder += gone;
  return givenUp;
}

/** Works read between two looks at those that may be forgotten. */
const forgettingEvery = 256;

/** An ended work stays for calls that it started and that are not written down yet. */
const keptNs = 10_000_000;

export function indexIdentity(work: Work, program: ProgramState): void {
  const { request, response } = work.exchange;
  if (!request?.message.identity && !response?.message.identity) return;
  for (const key of identityKeys(work.exchange)) {
    const works = program.byIdentity.get(key);
    if (works === undefined) program.byIdentity.set(key, [work]);
    else if (!works.includes(work) && works.length < worksPerIdentityMax) works.push(work);
  }
}

/** Works that share one id, at most; beyond, the id tells little. */
const worksPerIdentityMax = 64;

function forgetIdentity(work: Work, program: ProgramState): void {
  if (program.byIdentity.size === 0) return;
  for (const key of identityKeys(work.exchange)) {
    const works = program.byIdentity.get(key)?.filter((each) => each !== work) ?? [];
    if (works.length === 0) program.byIdentity.delete(key);
    else program.byIdentity.set(key, works);
  }
}
