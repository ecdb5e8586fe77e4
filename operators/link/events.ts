// SPDX-License-Identifier: Apache-2.0
// What happens in a program, written down as facts on its works, calls and threads. No judgement.

import type { Exchange } from "../../model/exchange.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MessageSeen } from "../../model/message.ts";
import {
  ANSWER,
  kindOf,
  lagMax,
  learnConsequences,
  learnLag,
  owes,
  owesAny,
  usuallyLeadsTo,
} from "./consequences.ts";
import { identityKeys } from "./evidence/identity.ts";
import { likelyWaiting, oldest, originOf } from "./origin.ts";
import type { Call, Ingress, ProgramState, Thread, Work } from "./program.ts";

/** A request was read: a work begins. */
export function readRequest(exchange: Exchange, seen: MessageSeen, program: ProgramState): Work {
  const thread = threadOf(seen, program);
  const { protocol, message } = seen;
  const work: Work = {
    isWork: true,
    exchange,
    kind: kindOf(protocol, message.endpoint, program.consequences),
    order: program.nextOrder++,
    thread,
    turn: seen.turn,
    readNs: Number(seen.emitNs),
    endNs: Infinity,
    cut: false,
    responded: false,
    sent: [],
    alone: program.open === 0,
    trail: [],
    children: [],
    claimed: [],
    asTarget: { work: null as never, certainty: 1 },
    emitted: 0,
  };
  if (work.alone) work.trail.push(work);
  else if (program.open === 1) disturb(program);
  program.works.push(work);
  program.unstarted.push(work);
  program.open++;
  thread.readsRequests = true;
  thread.open.push(work);
  thread.task = [];
  read(work, seen.turn, thread, program);
  indexIdentity(work, program);
  return work;
}

/** A request was sent: a call begins. */
export function sendRequest(exchange: Exchange, seen: MessageSeen, program: ProgramState): Call {
  const thread = threadOf(seen, program);
  const { connection, turn } = seen;
  const { last, open } = thread;
  const kind = kindOf(seen.protocol, seen.message.endpoint, program.consequences);
  const only = program.open === 1 ? onlyOpen(program) : null;
  const lastOnConnection = program.lastOn.get(connection.conn) ?? null;
  const isFresh = lastOnConnection === null && !connection.joinedMidstream;
  const origin = originOf({ thread, turn, kind, lastOnConnection, isFresh }, program);
  const isFirstOfTask = !thread.readsRequests && origin === null;
  const call: Call = {
    isWork: false,
    exchange,
    kind,
    thread,
    sentNs: Number(seen.startNs),
    orderBefore: program.nextOrder,
    openBefore: program.open,
    only,
    lastRequest: last !== null && last.isWork ? last : null,
    holder: open.length === 1 ? open[0] ?? null : null,
    origin,
    after: null,
    afterSameTurn: false,
    finished: null,
    handedBack: null,
    handed: isFirstOfTask ? nextUnstarted(kind, program) : null,
    doneTurn: 0,
    doneNs: Infinity,
    responded: false,
    sent: [],
    decision: null,
    guess: null,
    emitted: 0,
  };
  program.lastSentNs = Number(seen.emitNs);
  const from = origin?.from ?? call.handed ?? only;
  if (from !== null) follow(call, from, turn, isFresh, program);
  started(call, program);
  if (isFirstOfTask) thread.task = [];
  thread.task.push(call);
  if (thread.task.length > taskMax) thread.task.shift();
  remember(call, connection.conn, program);
  return call;
}

/** Calls of one task that are remembered. */
const taskMax = 64;

/** The response to a call was read. */
export function readResponse(call: Call, seen: MessageSeen, program: ProgramState): void {
  const { thread } = call;
  call.doneTurn = seen.turn;
  if (!thread.readsRequests) {
    program.unanswered.push(call);
    if (program.unanswered.length > unansweredMax) program.unanswered.shift();
  }
  if (call.only?.alone && call.only.trail.length < trailMax) call.only.trail.push(call);
  read(call, seen.turn, threadOf(seen, program), program);
}

/** Responses to workers that are remembered until what follows is known. */
const unansweredMax = 1_024;

/** A thread that reads requests has answered one: with the result of the worker ready longest. */
function handBack(work: Work, program: ProgramState): void {
  const { unanswered, consequences } = program;
  const isReady = (call: Call) =>
    call.after === null && call.finished === null && call.handedBack === null;
  program.unanswered = unanswered.filter(isReady);
  const call = program.unanswered.find((each) => usuallyLeadsTo(each, ANSWER, consequences));
  if (call === undefined) return;
  call.handedBack = work;
  call.sent.push(ANSWER);
}

/** Reads of one work that are remembered to learn from. */
const trailMax = 256;

/** The response of a work was written. */
export function writeResponse(work: Work, seen: MessageSeen, program: ProgramState): void {
  const thread = threadOf(seen, program);
  const { last } = thread;
  if (!thread.readsRequests) {
    finishTask(work, thread, program);
    return;
  }
  const isSameTurn = last !== null && thread.lastTurn === seen.turn;
  if (isSameTurn && (last === work || !last.isWork)) answerFrom(last, work, true);
  else if (!isSameTurn) {
    const fromTurn = seen.turn - lagMax(program.consequences);
    const from = work.sent.length > 0
      ? oldest(thread, ANSWER, fromTurn, likelyWaiting, program)
      : work;
    if (from !== null && (from === work || !from.isWork)) answerFrom(from, work, false);
    else handBack(work, program);
  }
}

/** A worker has answered: what it called since it last did so was for this work. */
function finishTask(work: Work, thread: Thread, program: ProgramState): void {
  const { task, last } = thread;
  if (task.every((call) => call.responded)) {
    for (const call of task) call.finished = work;
    realign(task[0], work, program);
    if (last !== null) last.sent.push(ANSWER);
  }
  thread.task = [];
  thread.last = null;
}

/** The line of works without a call had a wrong one taken out: that one goes back. */
function realign(first: Call | undefined, work: Work, { unstarted }: ProgramState): void {
  const handed = first?.handed ?? null;
  if (handed === null || handed === work) return;
  const at = unstarted.indexOf(work);
  if (at < 0) return;
  unstarted.splice(at, 1);
  if (handed.endNs !== Infinity) return;
  const later = unstarted.findIndex((each) => each.order > handed.order);
  unstarted.splice(later < 0 ? unstarted.length : later, 0, handed);
}

function answerFrom(from: Ingress, work: Work, isSameTurn: boolean): void {
  if (!from.isWork && from.after === null) {
    from.after = work;
    from.afterSameTurn = isSameTurn;
  }
  from.sent.push(ANSWER);
}

/** A thread has read something; what it had read before, if nothing came of it, waits. */
function read(ingress: Ingress, turn: number, thread: Thread, program: ProgramState): void {
  const { last, waiting } = thread;
  if (last !== null && thread.readsRequests && owesAny(last, program.consequences)) {
    waiting.push(last);
    if (waiting.length > waitingMax) waiting.shift();
  }
  thread.last = ingress;
  thread.lastTurn = turn;
}

/** Reads of one thread that wait for their consequence, at most. */
const waitingMax = 1_024;

/** A call follows from something read, which waits no longer. */
function follow(
  call: Call,
  from: Ingress,
  turn: number,
  isFresh: boolean,
  program: ProgramState,
): void {
  const isOnOwnLoop = from.thread === call.thread && call.thread.readsRequests;
  if (call.only !== null && isOnOwnLoop && !isFresh) {
    learnLag(turn - (from.isWork ? from.turn : from.doneTurn), program.consequences);
  }
  from.sent.push(call.kind);
  if (!from.isWork && from.after === null) from.after = call;
}

/** Another request was read while one work was alone. */
function disturb(program: ProgramState): void {
  const work = onlyOpen(program);
  if (work === null) return;
  work.alone = false;
  work.trail.length = 0;
}

/** The oldest work that nothing was sent for, and that leads to such a call. */
function nextUnstarted(kind: number, program: ProgramState): Work | null {
  const { unstarted, consequences } = program;
  let over = 0;
  while (over < unstarted.length && unstarted[over]?.endNs !== Infinity) over++;
  if (over > 0) unstarted.splice(0, over);
  for (const work of unstarted) {
    if (work.endNs === Infinity && owes(work, kind, consequences) >= likelyWaiting) return work;
  }
  return null;
}

/** Takes the work that a call was sent for out of the line of those without a call. */
function started(call: Call, program: ProgramState): void {
  const from = call.handed ?? (call.origin?.from.isWork ? call.origin.from : call.holder);
  if (from === null || program.unstarted.length === 0) return;
  const at = program.unstarted.indexOf(from);
  if (at >= 0) program.unstarted.splice(at, 1);
}

function remember(call: Call, conn: number, { lastOn }: ProgramState): void {
  lastOn.delete(conn);
  lastOn.set(conn, call);
  if (lastOn.size <= connectionsMax) return;
  const oldestConn = lastOn.keys().next();
  if (!oldestConn.done) lastOn.delete(oldestConn.value);
}

/** Connections of one program whose last call is remembered. */
const connectionsMax = 4_096;

/** A work is over: answered, or given up. */
export function endWork(work: Work, program: ProgramState): void {
  work.endNs = Number(work.exchange.endNs);
  work.cut = work.exchange.status === "reset" || work.exchange.status === "timeout";
  program.open--;
  if (work.alone) learnConsequences(work, program.consequences);
  const { open } = work.thread;
  const at = open.indexOf(work);
  if (at >= 0) open.splice(at, 1);
  if (work.thread.last === work) work.thread.last = null;
  if (work.exchange.response?.message.identity) indexIdentity(work, program);
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
  const isLeaf = program.nowNs - program.lastSentNs > leafAfterNs;
  const neededNs = Math.min(pending[0]?.sentNs ?? Infinity, program.nowNs) - (isLeaf ? 0 : keptNs);
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

/** Works read between two looks at those that may be forgotten. */
const forgettingEvery = 256;

/** Ended works stay for calls that were sent before they ended and are not written down yet. */
const keptNs = 1_000_000_000;

/** A program that has sent nothing for so long is taken for a leaf: a database, a cache. */
const leafAfterNs = 10_000_000_000;

function threadOf(seen: MessageSeen, program: ProgramState): Thread {
  const id = seen.coroutine === 0n ? seen.tid : seen.coroutine;
  const known = program.threads.get(id);
  if (known !== undefined) return known;
  const thread: Thread = {
    last: null,
    lastTurn: 0,
    readsRequests: false,
    open: [],
    waiting: [],
    task: [],
  };
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
