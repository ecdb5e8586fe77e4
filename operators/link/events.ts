// SPDX-License-Identifier: Apache-2.0
// What happens in a program, written down as facts on its works, calls and threads. No judgement.

import type { Exchange } from "../../model/exchange.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MessageSeen } from "../../model/message.ts";
import { identityKeys } from "./evidence/identity.ts";
import type { Call, ProgramState, Thread, Work } from "./program.ts";
import { RULES } from "./rules.ts";

/** A request was read: a work begins. */
export function readRequest(exchange: Exchange, seen: MessageSeen, program: ProgramState): Work {
  const thread = threadOf(seen, program);
  const work: Work = {
    isWork: true,
    exchange,
    order: program.nextOrder++,
    thread,
    turn: seen.turn,
    readNs: Number(seen.emitNs),
    endNs: Infinity,
    cut: false,
    responded: false,
    emitted: 0,
  };
  program.works.push(work);
  program.open++;
  thread.open.push(work);
  thread.last = work;
  thread.lastTurn = seen.turn;
  indexIdentity(work, program);
  return work;
}

/** A request was sent: a call begins. */
export function sendRequest(exchange: Exchange, seen: MessageSeen, program: ProgramState): Call {
  const thread = threadOf(seen, program);
  return {
    isWork: false,
    exchange,
    thread,
    turn: seen.turn,
    sentNs: Number(seen.startNs),
    orderBefore: program.nextOrder,
    openBefore: program.open,
    only: program.open === 1 ? onlyOpen(program) : null,
    before: thread.last,
    holder: thread.open.length === 1 ? thread.open[0] ?? null : null,
    doneNs: Infinity,
    points: RULES.map(() => null),
    decision: null,
    responded: false,
    emitted: 0,
  };
}

/** The response to a call was read. */
export function readResponse(call: Call, seen: MessageSeen, program: ProgramState): void {
  const thread = threadOf(seen, program);
  thread.last = call;
  thread.lastTurn = seen.turn;
}

/** A work is over: answered, or given up. */
export function endWork(work: Work, program: ProgramState): void {
  work.endNs = Number(work.exchange.endNs);
  work.cut = work.exchange.status === "reset" || work.exchange.status === "timeout";
  program.open--;
  const { open } = work.thread;
  const at = open.indexOf(work);
  if (at >= 0) open.splice(at, 1);
  if (work.thread.last === work) work.thread.last = null;
  if (work.exchange.response?.message.identity) indexIdentity(work, program);
}

/** Forgets works that can be nobody's parent any more; returns how many open ones were given up. */
export function forgetWorks(program: ProgramState): number {
  const { works, pending } = program;
  const neededNs = Math.min(pending[0]?.sentNs ?? Infinity, program.nowNs) - keptNs;
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
  works.splice(0, gone);
  program.firstOrder += gone;
  return givenUp;
}

/** Ended works stay for calls that were sent before they ended and are not written down yet. */
const keptNs = 1_000_000_000;

function threadOf(seen: MessageSeen, program: ProgramState): Thread {
  const id = seen.coroutine === 0n ? seen.tid : seen.coroutine;
  const known = program.threads.get(id);
  if (known !== undefined) return known;
  const thread: Thread = { last: null, lastTurn: 0, open: [] };
  if (program.threads.size >= LIMITS.linkThreads.value) {
    const oldest = program.threads.keys().next();
    if (!oldest.done) program.threads.delete(oldest.value);
  }
  program.threads.set(id, thread);
  return thread;
}

function onlyOpen(program: ProgramState): Work | null {
  for (let i = program.works.length - 1; i >= 0; i--) {
    const work = program.works[i];
    if (work !== undefined && work.endNs === Infinity) return work;
  }
  return null;
}

function indexIdentity(work: Work, program: ProgramState): void {
  if (!work.exchange.request?.message.identity && !work.exchange.response?.message.identity) return;
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
