// SPDX-License-Identifier: Apache-2.0
// Evidence 3: turn discipline on event loops, several rules of which a program obeys some.
//
// A turn is the interval between two returns of a poll call on one thread. What a thread sends
// follows from something it has read before, and loops keep to an order: at once (each read is
// followed by what follows from it), or later, first in, first out. A connection that is used again
// at once may have been handed on by a pool to whoever has waited for it longest.
// Each rule points at what was read: the request itself, or the response to another call, which
// then has the same parent.

import type { Call, Ingress } from "../program.ts";

/** Sent in the turn in which a request had been read just before. */
export function afterRequest(call: Call): Ingress | null {
  return call.sameTurn && call.before !== null && call.before.isWork ? call.before : null;
}

/** Sent in the turn in which a response had been read just before, and not on that connection. */
export function afterResponse(call: Call): Ingress | null {
  const { before, sameTurn, isFreed, waiting } = call;
  if (!sameTurn || before === null || before.isWork) return null;
  return isFreed && waiting !== null ? null : before;
}

/** Sent on a connection just freed, while something read earlier still waits for its turn. */
export function afterWaiting(call: Call): Ingress | null {
  return call.sameTurn && call.isFreed ? call.waiting : null;
}

/** Sent in a turn before anything was read in it: for the oldest read that led to nothing yet. */
export function afterEarlierTurn(call: Call): Ingress | null {
  return call.sameTurn ? null : call.waiting;
}

/** The response was read, and in the same turn a request was answered next. */
export function beforeAnswer(call: Call): Ingress | null {
  const { after } = call;
  return after !== null && after.isWork && call.afterSameTurn ? after : null;
}

/** The response led to nothing in its turn, and a later turn answered a request in its place. */
export function beforeLaterAnswer(call: Call): Ingress | null {
  const { after } = call;
  return after !== null && after.isWork && !call.afterSameTurn ? after : null;
}

/** The response was read, and in the same turn another call followed from it. */
export function beforeNextCall(call: Call): Ingress | null {
  const { after } = call;
  return after !== null && !after.isWork ? after : null;
}
