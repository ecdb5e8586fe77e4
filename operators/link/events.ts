// SPDX-License-Identifier: Apache-2.0
// What happens in a program, written down as facts on its works, calls and threads. No judgement.

import type { Exchange } from "../../model/exchange.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MessageSeen } from "../../model/message.ts";
import { identityKeys } from "./evidence/identity.ts";
import type { Call, Ingress, ProgramState, Thread, Work } from "./program.ts";
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
    used: false,
    emitted: 0,
  };
  program.works.push(work);
  program.open++;
  thread.open.push(work);
  read(work, seen.turn, thread);
  indexIdentity(work, program);
  return work;
}

/** A request was sent: a call begins. */
export function sendRequest(exchange: Exchange, seen: MessageSeen, program: ProgramState): Call {
  const thread = threadOf(seen, program);
  const before = thread.last;
  const sameTurn = before !== null && thread.lastTurn === seen.turn;
  const isFreed = sameTurn && !before.isWork &&
    before.exchange.connection === exchange.connection;
  const call: Call = {
    isWork: false,
    exchange,
    thread,
    turn: seen.turn,
    sentNs: Number(seen.startNs),
    orderBefore: program.nextOrder,
    openBefore: program.open,
    only: program.open === 1 ? onlyOpen(program) : null,
    before,
    sameTurn,
    isFreed,
    waiting: sameTurn && !isFreed ? null : oldestWaiting(thread),
    holder: thread.open.length === 1 ? thread.open[0] ?? null : null,
    doneNs: Infinity,
    after: null,
    afterSameTurn: false,
    doneTurn: 0,
    used: false,
    points: RULES.map(() => null),
    decision: null,
    responded: false,
    emitted: 0,
  };
  follow(call, call.waiting ?? (sameTurn ? before : null));
  return call;
}

/** The response to a call was read. */
export function readResponse(call: Call, seen: MessageSeen, program: ProgramState): void {
  const thread = threadOf(seen, program);
  call.doneTurn = seen.turn;
  read(call, seen.turn, thread);
}

/** The response of a work was written. */
export function writeResponse(work: Work, seen: MessageSeen, program: ProgramState): void {
  const thread = threadOf(seen, program);
  const { last } = thread;
  if (last !== null && thread.lastTurn === seen.turn) {
    if (last === work) work.used = true;
    else if (!last.isWork && last.after === null) answer(last, work, true);
    return;
  }
  if (!work.used && !thread.waiting.includes(work) && last !== work) return;
  if (!work.used) {
    work.used = true;
    return;
  }
  const call = thread.waiting.find((each) => !each.isWork && !isOver(each));
  if (call !== undefined && !call.isWork) answer(call, work, false);
  else if (last !== null && !last.isWork && !last.used) answer(last, work, false);
}

function answer(call: Call, work: Work, sameTurn: boolean): void {
  call.after = work;
  call.afterSameTurn = sameTurn;
  call.used = true;
}

/** A thread has read something; what it had read before, if nothing came of it, waits. */
function read(ingress: Ingress, turn: number, thread: Thread): void {
  const { last, waiting } = thread;
  if (last !== null && !last.used) waiting.push(last);
  if (waiting.length > waitingMax) waiting.shift();
  thread.last = ingress;
  thread.lastTurn = turn;
}

/** Reads of one thread that wait for their consequence, at most. */
const waitingMax = 1_024;

/** A call follows from something read, which waits no longer. */
function follow(call: Call, from: Ingress | null): void {
  if (from === null) return;
  from.used = true;
  if (!from.isWork && from.after === null) from.after = call;
}

function oldestWaiting(thread: Thread): Ingress | null {
  const { waiting, last } = thread;
  let gone = 0;
  while (gone < waiting.length && isOver(waiting[gone])) gone++;
  if (gone > 0) waiting.splice(0, gone);
  return waiting[0] ?? (last !== null && !last.used ? last : null);
}

/** Nothing can follow from it any more: it was used, or its work has ended. */
function isOver(ingress: Ingress | undefined): boolean {
  if (ingress === undefined || ingress.used) return true;
  const work = ingress.isWork ? ingress : ingress.decision?.parent ?? null;
  return work !== null && work.endNs !== Infinity;
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
  const thread: Thread = { last: null, lastTurn: 0, open: [], waiting: [] };
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
