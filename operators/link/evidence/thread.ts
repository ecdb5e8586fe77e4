// SPDX-License-Identifier: Apache-2.0
// Evidence 2: the thread (or coroutine) that sent the call had read the request.
//
// Precondition: it has read no other request since, and holds no other one unanswered. That is what
// a thread per request looks like; an event loop under load fails it and is left to turn.ts.

import type { Call, Ingress, Work } from "../program.ts";

/** The work that the calling thread holds, if it holds exactly one and read no other since. */
export function sameThread({ holder, lastRequest }: Call): Work | null {
  return lastRequest === null || lastRequest === holder ? holder : null;
}

/**
 * The same where the source knows the coroutine, or the one that started it for this work: that is
 * read, not guessed, and holds in every program.
 */
export function sameCoroutine(call: Call): Work | null {
  return call.told;
}

/** The call before, of a thread that reads no requests and has finished nothing in between. */
export function sameWorker({ origin }: Call): Ingress | null {
  return origin !== null && origin.by === "worker" ? origin.from : null;
}
