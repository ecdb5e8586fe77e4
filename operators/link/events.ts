// SPDX-License-Identifier: Apache-2.0
// What happens in a program, written down as facts on its works, calls and threads. No judgement.

import type { Exchange } from "../../model/exchange.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MessageSeen } from "../../model/message.ts";
import { noteRead, noteSend, startTurn } from "./batches.ts";
import { ANSWER, kindOf, lagMax, learnConsequences, learnLag, owesAny } from "./consequences.ts";
import { crowdOf } from "./trust/crowd.ts";
import { contextOf } from "./coroutines.ts";
import { type Due, dueNow, learnDelay } from "./delays.ts";
import { handBack, nextUnstarted, realign, started } from "./hand_off_line.ts";
import { answered, beginOf, isOver, originOf } from "./origin.ts";
import type { Call, Ingress, Origin, ProgramState, Thread, Work } from "./program.ts";

import { joinLine } from "./shape/line.ts";
import { taskOf } from "./task.ts";
import { checkLine } from "./wait_line.ts";
import { addWork, indexIdentity, oldestOpen, onlyOpen } from "./works.ts";
import { noteUnowned } from "./trust/unowned.ts";

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
    readWithOthers: false,
    endNs: Infinity,
    cut: false,
    responded: false,
    sent: [],
    alone: program.open === 0,
    trail: [],
    children: [],
    claimed: [],
    asTarget: null,
    crowd: crowdOf(program.open + 1),
    story: [],
    doubts: null,
    doubtsAt: -1,
    answerNs: Infinity,
    answerThread: null,
    emitted: 0,
  };
  if (work.alone) work.trail.push(work);
  else if (program.open === 1) disturb(program);
  work.asTarget = { work, certainty: 1, byOrder: false };
  addWork(work, program);
  noteBatch(work, thread);
  thread.readsRequests = true;
  thread.open.push(work);
  thread.task = [];
  read(work, seen, thread, program);
  return work;
}

/** Clients that pipeline, or multiplex, have several requests read at once. */
function noteBatch(work: Work, { last }: Thread): void {
  if (last === null || !last.isWork || last.readNs !== work.readNs) return;
  last.readWithOthers = true;
  work.readWithOthers = true;
}

/**
 * Calls that one system call sent on a shared connection were gathered before: they follow from
 * several reads, of which the last one says nothing.
 */
function isGathered(sentNs: number, lastOnConnection: Call | null): boolean {
  if (lastOnConnection === null || lastOnConnection.sentNs !== sentNs) return false;
  if (lastOnConnection.origin?.by === "at_once") lastOnConnection.origin = null;
  return true;
}

/** A request was sent: a call begins. */
export function sendRequest(exchange: Exchange, seen: MessageSeen, program: ProgramState): Call {
  const thread = threadOf(seen, program);
  const { connection, turn } = seen;
  const { last, open } = thread;
  noteSend(thread, turn, program);
  const kind = kindOf(seen.protocol, seen.message.endpoint, program.consequences);
  const only = program.open === 1 ? onlyOpen(program) : null;
  const lastOnConnection = program.lastOn.get(connection.conn) ?? null;
  const isFresh = lastOnConnection === null && !connection.joinedMidstream;
  const sentNs = Number(seen.startNs);
  const found = originOf({ thread, turn, kind, lastOnConnection, isFresh }, program);
  const gathered = isGathered(sentNs, lastOnConnection) && found?.by === "at_once";
  const origin = gathered ? null : found;
  const isFirstOfTask = !thread.readsRequests && origin === null;
  const call: Call = {
    isWork: false,
    exchange,
    kind,
    thread,
    sentNs,
    orderBefore: program.nextOrder,
    openBefore: program.open,
    only,
    lastRequest: last !== null && last.isWork ? last : null,
    holder: open.length === 1 ? open[0] ?? null : null,
    origin,
    step: stepAfter(origin?.from ?? null),
    after: null,
    afterBy: "later",
    finished: null,
    handedBack: null,
    handed: isFirstOfTask ? nextUnstarted(kind, program) : null,
    isFresh,
    oldestBefore: oldestOpen(program),
    contest: 0,
    place: -1,
    placed: null,
    isFixed: false,
    weighed: null,
    verdict: null,
    doneThread: null,
    doneTurn: 0,
    doneNs: Infinity,
    responded: false,
    sent: [],
    decision: null,
    guess: dueParent(origin),
    learned: false,
    emitted: 0,
  };
  const from = origin?.from ?? call.handed ?? only;
  if (from !== null) follow(call, from, turn, isFresh, program);
  started(call, program);
  noteUnowned(call, program);
  joinLine(call, program.lines);
  if (isFirstOfTask) thread.task = [];
  thread.task.push(call);
  if (thread.task.length > taskMax) thread.task.shift();
  remember(call, connection.conn, program);
  return call;
}

/** What is sent when it is due is likely for what was read then. */
function dueParent(origin: Origin | null): Work | null {
  if (origin === null || (origin.by !== "due" && origin.by !== "due_first")) return null;
  const { from } = origin;
  return from.isWork ? from : from.decision?.parent ?? from.guess;
}

function stepAfter(from: Ingress | null): number {
  return from === null || from.isWork ? 0 : Math.min(stepsMax, from.step + 1);
}

const stepsMax = 15;

/** Calls of one task that are remembered. */
const taskMax = 64;

/** The response to a call was read. */
export function readResponse(call: Call, seen: MessageSeen, program: ProgramState): void {
  const { thread } = call;
  call.doneTurn = seen.turn;
  if (!thread.readsRequests && program.works.length > 0) {
    program.unanswered.push(call);
    if (program.unanswered.length > unansweredMax) program.unanswered.shift();
  }
  if (call.only?.alone && call.only.trail.length < trailMax) call.only.trail.push(call);
  call.doneThread = threadOf(seen, program);
  read(call, seen, call.doneThread, program);
}

/** Responses to workers that are remembered until what follows is known. */
const unansweredMax = 1_024;

/** Reads of one work that are remembered to learn from. */
const trailMax = 256;

/** The response of a work was written. */
export function writeResponse(work: Work, seen: MessageSeen, program: ProgramState): void {
  const thread = threadOf(seen, program);
  work.answerNs = Number(seen.startNs);
  work.answerThread = thread;
  const { last } = thread;
  if (!thread.readsRequests) {
    finishTask(work, thread, program);
    return;
  }
  noteSend(thread, seen.turn, program);
  const answering = { kind: ANSWER, isFresh: false, turn: seen.turn };
  const due = dueAnswer(work, thread, answering, program);
  if (due !== null) {
    const { from, count } = due;
    if (program.open === 1) learnDelay(from, answering, program);
    if (from === work || !from.isWork) {
      answerFrom(from, work, count === 1 ? "due" : "due_first", program);
    }
    return;
  }
  const isSameTurn = last !== null && thread.lastTurn === seen.turn;
  if (program.open === 1 && last !== null && (last === work || !last.isWork)) {
    learnDelay(last, answering, program);
  }
  if (isSameTurn) answerAtOnce(last, work, thread, program);
  else {
    const fromTurn = seen.turn - lagMax(program.consequences);
    const isOwn = work.sent.length === 0 && work.turn >= fromTurn;
    const from = isOwn ? work : answered(work, thread, fromTurn, program);
    if (from !== null && (from === work || !from.isWork)) answerFrom(from, work, "later", program);
    else handBack(work, program);
  }
}

/**
 * An answer follows from what was read last in its turn. But what came in one go was all read
 * before the first of it led to anything: then it is a response whose line of origins begins with
 * the work, and proves nothing beyond that.
 */
function answerAtOnce(last: Ingress, work: Work, thread: Thread, program: ProgramState): void {
  const { together } = thread;
  if (last !== work && together.length > 1) {
    const own = together.find((each) => !each.isWork && beginOf(each) === work);
    if (own !== last) {
      if (own !== undefined) led(own, ANSWER, program);
      return;
    }
  }
  if (last.isWork && last !== work) return;
  if (!last.isWork && last.after === null) checkLine(last, work, program);
  answerFrom(last, work, "same_turn", program);
}

/**
 * The response after which an answer to this work is due now: one whose line of origins begins with
 * it, else the oldest.
 */
function dueAnswer(
  work: Work,
  thread: Thread,
  answering: { readonly kind: number; readonly isFresh: boolean; readonly turn: number },
  program: ProgramState,
): Due | null {
  const due = dueNow(thread, answering, program, isOver);
  if (due === null || due.count === 1) return due;
  const own = dueNow(
    thread,
    answering,
    program,
    (ingress) => isOver(ingress) || (ingress.isWork ? ingress : beginOf(ingress)) !== work,
  );
  return own === null ? due : { from: own.from, count: due.count };
}

/** A worker has answered: what it called, and waited for, since it last did was for this work. */
function finishTask(work: Work, thread: Thread, program: ProgramState): void {
  const { task, last } = thread;
  program.tasksFinished++;
  if (task.every((call) => call.responded && call.doneThread === thread)) {
    for (const call of taskOf(work, thread, program)) {
      call.finished = work;
      work.claimed.push(call);
    }
    realign(task[0], work, program);
    if (last !== null) last.sent.push(ANSWER);
  }
  thread.task = [];
  thread.last = null;
}

function answerFrom(
  from: Ingress,
  work: Work,
  by: Call["afterBy"],
  program: ProgramState,
): void {
  if (!from.isWork && from.after === null) {
    from.after = from.learned ? from : work;
    work.claimed.push(from);
    from.afterBy = by;
  }
  led(from, ANSWER, program);
}

/** A thread has read something; what it had read before, if nothing came of it, waits. */
function read(
  ingress: Ingress,
  { turn, emitNs }: MessageSeen,
  thread: Thread,
  program: ProgramState,
): void {
  noteRead(thread, turn, program);
  const { last, waiting } = thread;
  if (Number(emitNs) !== thread.togetherNs) thread.together = [];
  thread.togetherNs = Number(emitNs);
  if (thread.together.length < togetherMax) thread.together.push(ingress);
  if (last !== null && thread.readsRequests && owesAny(last, program.consequences)) {
    waiting.push(last);
    if (waiting.length > waitingMax) waiting.shift();
  }
  thread.last = ingress;
  thread.lastTurn = turn;
}

/** Reads in one go that are told apart. */
const togetherMax = 256;

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
  if (call.only !== null && isOnOwnLoop) {
    learnDelay(from, { kind: call.kind, isFresh, turn }, program);
  }
  led(from, call.kind, program);
  if (!from.isWork && from.after === null) from.after = from.learned ? from : call;
}

/** What was read has led to something; it waits no longer if nothing more is due. */
function led(from: Ingress, kind: number, program: ProgramState): void {
  from.sent.push(kind);
  if (owesAny(from, program.consequences)) return;
  const { waiting } = from.thread;
  const at = waiting.indexOf(from);
  if (at >= 0) waiting.splice(at, 1);
}

/** Another request was read while one work was alone. */
function disturb(program: ProgramState): void {
  const work = onlyOpen(program);
  if (work === null) return;
  work.alone = false;
  work.trail.length = 0;
}

function remember(call: Call, conn: number, { lastOn }: ProgramState): void {
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

function threadOf(seen: MessageSeen, program: ProgramState): Thread {
  const id = contextOf(seen, program);
  const known = program.threads.get(id);
  if (known !== undefined) return known;
  const thread: Thread = {
    last: null,
    lastTurn: 0,
    soFar: startTurn(),
    together: [],
    togetherNs: -1,
    readsRequests: false,
    open: [],
    waiting: [],
    task: [],
  };
  if (program.threads.size >= LIMITS.linkThreads.value) forgetIdle(program);
  program.threads.set(id, thread);
  return thread;
}

/** The oldest thread that holds no request; those that do are put behind all others. */
function forgetIdle({ threads }: ProgramState): void {
  let left = busyMax;
  for (const [id, thread] of threads) {
    threads.delete(id);
    if (thread.open.length === 0 || left-- === 0) return;
    threads.set(id, thread);
  }
}

/** Threads that hold requests and are passed over in one go. */
const busyMax = 64;
