// SPDX-License-Identifier: Apache-2.0
// A request is read, which begins a work; and its end. Facts, no judgement.

import type { Exchange } from "../../../model/exchange.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { kindOf, learnConsequences } from "../consequences.ts";
import { joinContexts } from "../coroutines/contexts.ts";
import { beginOfWork, noteEnd } from "../coroutines/in_hand.ts";
import { noteReading } from "../coroutines/streams.ts";
import { joinTasks } from "../coroutines/tasks.ts";
import { onlyServes } from "../one_sided.ts";
import type { ProgramState, Thread, Work } from "../program.ts";
import { crowdOf } from "../trust/crowd.ts";
import { addWork, indexIdentity, onlyOpen } from "../works.ts";
import { noteIngress } from "./ingress.ts";
import { threadOf } from "./thread_of.ts";

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
    isTaken: false,
    isServed: false,
    readNs: Number(seen.emitNs),
    beganNs: beginOfWork(thread, seen),
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
    placings: 0,
    doubts: null,
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
  if (thread.task.length > 0) thread.task = [];
  noteReading(seen, program);
  joinTasks(work, program);
  joinContexts(work, program);
  noteIngress(work, seen, thread, program);
  return work;
}

/** A work is over: answered, or given up. */
export function endWork(
  work: Work,
  program: ProgramState,
  endNs = Number(work.exchange.endNs),
): void {
  work.endNs = endNs;
  work.cut = work.exchange.status === "reset" || work.exchange.status === "timeout";
  program.open--;
  if (work.alone && !onlyServes(program)) learnConsequences(work, program.consequences);
  const { open } = work.thread;
  const at = open.indexOf(work);
  if (at >= 0) open.splice(at, 1);
  noteEnd(work, program);
  if (work.thread.last === work) work.thread.last = null;
  if (work.exchange.response?.message.identity) indexIdentity(work, program);
}

/** Clients that pipeline, or multiplex, have several requests read at once. */
function noteBatch(work: Work, { last }: Thread): void {
  if (last === null || !last.isWork || last.readNs !== work.readNs) return;
  last.readWithOthers = true;
  work.readWithOthers = true;
}

/** Another request was read while one work was alone. */
function disturb(program: ProgramState): void {
  const work = onlyOpen(program);
  if (work === null) return;
  work.alone = false;
  work.trail.length = 0;
}
