// SPDX-License-Identifier: Apache-2.0
// Something sent follows from something read, which then waits no longer.

import { learnLag, owesAny } from "../consequences.ts";
import { learnDelay } from "../delays.ts";
import type { Call, Ingress, ProgramState } from "../program.ts";

/** A call follows from something read, which waits no longer. */
export function follow(
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
export function led(from: Ingress, kind: number, program: ProgramState): void {
  from.sent.push(kind);
  if (owesAny(from, program.consequences)) return;
  const { waiting } = from.thread;
  const at = waiting.indexOf(from);
  if (at >= 0) waiting.splice(at, 1);
}
