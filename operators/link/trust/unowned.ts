// SPDX-License-Identifier: Apache-2.0
// How often a program calls on nobody's behalf: after its answers, by timers, by queues it reads.
//
// A program that calls while it works for nobody does so while it works for somebody, too. There,
// that a request is the only one open, or the only one of the thread, does not make it the cause.

import type { Call, ProgramState } from "../program.ts";

/** Calls sent while no request was open, and while one was. */
export interface Unowned {
  idle: number;
  alone: number;
}

export function noteUnowned({ openBefore }: Call, { nextOrder, unowned }: ProgramState): void {
  if (nextOrder === 0) return;
  if (openBefore === 0) unowned.idle++;
  else if (openBefore === 1) unowned.alone++;
}

/** How sure a link can be that rests on who was there. */
export function surenessOfPresence({ unowned: { idle, alone } }: ProgramState): number {
  return idle < idleFrom ? 1 : alone / (alone + idle);
}

/** Connections are opened for nobody, and records may be out of order for a moment. */
const idleFrom = 8;
