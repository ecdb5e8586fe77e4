// SPDX-License-Identifier: Apache-2.0
// Evidence 2: the thread (or coroutine) that sent the call had read the request.
//
// Precondition: it has read no other request since, and holds no other one unanswered. That is what
// a thread per request looks like; an event loop under load fails it and is left to turn.ts.

import type { Call, Work } from "../program.ts";

/** The work that the calling thread holds, if it holds exactly one and read nothing else since. */
export function sameThread(call: Call): Work | null {
  const { holder, before } = call;
  if (holder === null) return null;
  if (before !== null && before.isWork && before !== holder) return null;
  return holder;
}
