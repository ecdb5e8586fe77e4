// SPDX-License-Identifier: Apache-2.0
// A request is sent, which begins a call; and its response is read. Facts, no judgement.

import type { Exchange } from "../../../model/exchange.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { noteSend } from "../batches.ts";
import { noteAct, noteSent } from "../callbacks/between.ts";
import { kindOf } from "../consequences.ts";
import { tellContext } from "../coroutines/contexts.ts";
import { firstInLine, noteCrossing } from "../coroutines/in_hand.ts";
import { noteReader, workOf } from "../coroutines/lineage.ts";
import { noteReading, noteStream } from "../coroutines/streams.ts";
import { tellTask } from "../coroutines/tasks.ts";
import { nextUnstarted, started } from "../hand_off_line.ts";
import { beginToAsk, onlyAsks, onlyServes } from "../one_sided.ts";
import { originOf } from "../origin.ts";
import type { Call, Ingress, Origin, ProgramState, Thread, Work } from "../program.ts";
import { noteFlushed } from "../callbacks/flush.ts";
import { asksForMessages } from "../queues/asks_for_messages.ts";
import { joinLine } from "../shape/line.ts";
import { noteUnowned } from "../trust/unowned.ts";
import { takeWaking } from "../workers/wakes.ts";
import { oldestOpen, onlyOne } from "../works.ts";
import { openingFor } from "./connect.ts";
import { follow } from "./follow.ts";
import { noteIngress } from "./ingress.ts";
import { newCall } from "./new_call.ts";
import { threadOf } from "./thread_of.ts";

/** A request was sent: a call begins. */
export function sendRequest(exchange: Exchange, seen: MessageSeen, program: ProgramState): Call {
  if (onlyAsks(program)) return sendUnasked(exchange, seen, program);
  if (onlyServes(program)) beginToAsk(program);
  const thread = threadOf(seen, program);
  const { connection, turn } = seen;
  noteCrossing(thread, connection.conn);
  noteSend(thread, turn, program);
  const kind = kindOf(seen.protocol, seen.message.endpoint, program.consequences);
  const lastOnConnection = program.lastOn.get(connection.conn) ?? null;
  const isFresh = lastOnConnection === null && !connection.joinedMidstream;
  const sentNs = Number(seen.startNs);
  const told = workOf(seen.coroutine, sentNs, program);
  const opening = openingFor(seen, kind, thread, program);
  if (opening === null) noteAct(thread, kind, turn, program);
  const only = told ?? (opening === null ? onlyOne(program) : opening.only);
  const sending = { thread, turn, kind, lastOnConnection, isFresh, isOpening: false };
  const found = opening === null ? originOf(sending, program) : opening.origin;
  const gathered = isGathered(sentNs, lastOnConnection);
  if (gathered) program.gathered.set(kind, 1 + (program.gathered.get(kind) ?? 0));
  const origin = gathered && found?.by === "at_once" ? null : found;
  const isFirstOfTask = !thread.readsRequests && origin === null;
  const held = heldBy(thread, told);
  const likely = parentBy(origin);
  const call = newCall({
    exchange,
    kind,
    thread,
    sentNs: opening?.atNs ?? sentNs,
    orderBefore: opening?.orderBefore ?? program.nextOrder,
    openBefore: opening?.openBefore ?? program.open,
    only,
    lastRequest: held.lastRequest,
    holder: held.holder,
    told,
    origin,
    step: stepAfter(origin?.from ?? null),
    wokenFor: thread.readsRequests ? null : takeWaking(thread),
    handed: isFirstOfTask ? nextUnstarted(kind, program) : null,
    isFresh,
    oldestBefore: opening?.oldestBefore ?? oldestOpen(program),
    guess: isNear(origin) ? likely : null,
    likely,
  });
  if (thread.lastTurn === turn) noteFlushed(call, thread);
  if (origin?.by === "at_once") noteSent(call, origin.from, sending);
  const from = origin?.from ?? call.handed ?? only;
  if (from !== null) follow(call, from, opening?.turn ?? turn, isFresh, program);
  started(call, program);
  noteStream(call, program);
  tellTask(call, program);
  tellContext(call, program);
  if (call.told === null && !asksForMessages(call)) noteUnowned(call, program);
  joinLine(call, program.lines);
  joinTask(call, isFirstOfTask);
  remember(call, connection.conn, program);
  return call;
}

function sendUnasked(exchange: Exchange, seen: MessageSeen, program: ProgramState): Call {
  const { connection, protocol, message } = seen;
  const call = newCall({
    exchange,
    kind: kindOf(protocol, message.endpoint, program.consequences),
    thread: threadOf(seen, program),
    sentNs: Number(seen.startNs),
    orderBefore: 0,
    openBefore: 0,
    only: null,
    lastRequest: null,
    holder: null,
    told: null,
    origin: null,
    step: 0,
    wokenFor: null,
    handed: null,
    isFresh: !program.lastOn.has(connection.conn) && !connection.joinedMidstream,
    oldestBefore: 0,
    guess: null,
    likely: null,
  });
  noteStream(call, program);
  remember(call, connection.conn, program);
  return call;
}

function joinTask(call: Call, isFirst: boolean): void {
  const { thread } = call;
  if (isFirst) thread.task = [];
  thread.task.push(call);
  if (thread.task.length > taskMax) thread.task.shift();
}

/** What the thread holds, and what request it has read last. */
function heldBy(thread: Thread, told: Work | null): Pick<Call, "holder" | "lastRequest"> {
  if (told !== null) return { holder: told, lastRequest: told };
  const holder = firstInLine(thread);
  const { last, open } = thread;
  const isLine = open.length > 1 && holder !== null;
  return { holder, lastRequest: isLine ? holder : last !== null && last.isWork ? last : null };
}

/** The response to a call was read. */
export function readResponse(call: Call, seen: MessageSeen, program: ProgramState): void {
  const { thread } = call;
  call.doneTurn = seen.turn;
  // A loop reads for its tasks.
  const isForTask = seen.coroutine === 0n && thread.isCoroutine;
  call.doneThread = isForTask ? thread : threadOf(seen, program);
  noteReader(call, seen.coroutine, program);
  noteReading(seen, program);
  if (onlyAsks(program)) return;
  if (!thread.readsRequests && program.works.length > 0) {
    program.unanswered.push(call);
    if (program.unanswered.length > unansweredMax) program.unanswered.shift();
  }
  if (call.only?.alone && call.only.trail.length < trailMax) call.only.trail.push(call);
  noteIngress(call, seen, call.doneThread, program);
}

/** Responses to workers that are remembered until what follows is known. */
const unansweredMax = 1_024;

/** Reads of one work that are remembered to learn from. */
const trailMax = 256;

/**
 * Calls that one system call sent on a shared connection were gathered before: they follow from
 * several reads, of which the last one says nothing.
 */
function isGathered(sentNs: number, lastOnConnection: Call | null): boolean {
  if (lastOnConnection === null || lastOnConnection.sentNs !== sentNs) return false;
  if (lastOnConnection.origin?.by === "at_once") lastOnConnection.origin = null;
  return true;
}

/** What is sent at once, or when it is due, is likely for what was read then; no line is off. */
function isNear(origin: Origin | null): boolean {
  switch (origin?.by) {
    case "at_once":
    case "between":
    case "connected":
    case "due":
    case "due_first":
      return true;
    default:
      return false;
  }
}

function parentBy(origin: Origin | null): Work | null {
  if (origin === null || origin.by === "worker") return null;
  const { from } = origin;
  return from.isWork ? from : from.decision?.parent ?? from.guess ?? from.likely;
}

function stepAfter(from: Ingress | null): number {
  return from === null || from.isWork ? 0 : Math.min(stepsMax, from.step + 1);
}

const stepsMax = 15;

/** Calls of one task that are remembered. */
const taskMax = 64;

function remember(call: Call, conn: number, { lastOn }: ProgramState): void {
  lastOn.set(conn, call);
  if (lastOn.size <= connectionsMax) return;
  const oldestConn = lastOn.keys().next();
  if (!oldestConn.done) lastOn.delete(oldestConn.value);
}

/** Connections of one program whose last call is remembered. */
const connectionsMax = 4_096;
