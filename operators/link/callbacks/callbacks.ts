// SPDX-License-Identifier: Apache-2.0
// Whether a loop runs each callback to its end before it reads anything else, as libuv's and
// nginx's do, by what it does between the reads of a turn.

export interface Callbacks {
  readonly requests: Reads;
  readonly responses: Reads;
  /** What was sent in turns in which something had been read before, and in which nothing had. */
  prompt: number;
  late: number;
}

/**
 * Reads with another one after them in their turn: those that led to something before it. Of one
 * request alone some lead to nothing until all that it waits for is there.
 */
interface Reads {
  acted: number;
  passed: number;
}

export const startCallbacks = (): Callbacks => ({
  requests: { acted: 0, passed: 0 },
  responses: { acted: 0, passed: 0 },
  prompt: 0,
  late: 0,
});

/**
 * Whether this is such a loop. Others first read all that is ready (HAProxy), put off to the next
 * turn what follows (asyncio), or do so with responses only (Deno).
 */
export function runsToEnd({ requests, responses, prompt, late }: Callbacks): boolean {
  return requests.acted + responses.acted >= actedFrom && mayAct(responses) &&
    late <= lateShareMax * (prompt + late);
}

function mayAct({ acted, passed }: Reads): boolean {
  return acted + passed < triedFrom || acted >= actedShare * (acted + passed);
}

const actedFrom = 4;
const triedFrom = 16;
const actedShare = 0.1;
const lateShareMax = 0.6;
const fadeFrom = 1_024;

export function fadeCallbacks(callbacks: Callbacks): void {
  if (callbacks.prompt + callbacks.late <= fadeFrom) return;
  for (const reads of [callbacks.requests, callbacks.responses]) {
    reads.acted /= 2;
    reads.passed /= 2;
  }
  callbacks.prompt /= 2;
  callbacks.late /= 2;
}
