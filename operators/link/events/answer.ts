// SPDX-License-Identifier: Apache-2.0
// A request is answered: what that says of the responses read before. Facts, no judgement.

import type { MessageSeen } from "../../../model/message.ts";
import { noteSend } from "../batches.ts";
import { noteAct, noteAnswered } from "../callbacks/between.ts";
import { ANSWER, lagMax } from "../consequences.ts";
import { noteAnswer } from "../coroutines/tasks.ts";
import { type Due, dueNow, learnDelay } from "../delays.ts";
import { handBack, realign } from "../hand_off_line.ts";
import { onlyServes } from "../one_sided.ts";
import { answered, beginOf, isOver } from "../origin.ts";
import type { Call, Ingress, ProgramState, Thread, Work } from "../program.ts";
import { taskOf } from "../task.ts";
import { checkLine } from "../wait_line.ts";
import { led } from "./follow.ts";
import { threadOf } from "./thread_of.ts";

/** The response of a work was written. */
export function writeResponse(work: Work, seen: MessageSeen, program: ProgramState): void {
  const thread = threadOf(seen, program);
  work.answerNs = Number(seen.startNs);
  work.answerThread = thread;
  noteAnswer(work, seen, program);
  if (onlyServes(program)) return;
  const { last } = thread;
  if (!thread.readsRequests) {
    finishTask(work, thread, program);
    return;
  }
  noteSend(thread, seen.turn, program);
  noteAct(thread, ANSWER, seen.turn, program);
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
  if (isSameTurn) answerAtOnce(last, work, { thread, turn: seen.turn }, program);
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
function answerAtOnce(
  last: Ingress,
  work: Work,
  { thread, turn }: { readonly thread: Thread; readonly turn: number },
  program: ProgramState,
): void {
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
  if (!last.isWork && last.after === work) noteAnswered(last, thread, turn);
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
