// SPDX-License-Identifier: Apache-2.0
// A thread has read something, a request or a response.

import type { MessageSeen } from "../../../model/message.ts";
import { noteRead } from "../batches.ts";
import { endCallback } from "../callbacks/between.ts";
import { noteRead as noteReadInTurn } from "../callbacks/flush.ts";
import { owesAny } from "../consequences.ts";
import { onlyServes } from "../one_sided.ts";
import type { Ingress, ProgramState, Thread } from "../program.ts";

/** What the thread had read before, if nothing came of it, waits. */
export function noteIngress(
  ingress: Ingress,
  { turn, emitNs }: MessageSeen,
  thread: Thread,
  program: ProgramState,
): void {
  const mayLead = !onlyServes(program);
  const isApart = Number(emitNs) !== thread.togetherNs;
  if (mayLead && isApart) endCallback(thread, turn, program);
  noteRead(ingress, thread, turn, program);
  if (mayLead) noteReadInTurn(ingress, thread);
  const { last, waiting } = thread;
  if (isApart) thread.together = [ingress];
  else if (thread.together.length < togetherMax) thread.together.push(ingress);
  thread.togetherNs = Number(emitNs);
  const mayWait = mayLead && last !== null && thread.readsRequests;
  if (mayWait && owesAny(last, program.consequences)) {
    waiting.push(last);
    if (waiting.length > waitingMax) waiting.shift();
  }
  thread.last = ingress;
  thread.lastTurn = turn;
  thread.woken = null;
}

/** Reads in one go that are told apart. */
const togetherMax = 256;

/** Reads of one thread that wait for their consequence, at most. */
const waitingMax = 1_024;
