// SPDX-License-Identifier: Apache-2.0
// Evidence 3: turn discipline on event loops, several rules of which a program obeys some.
//
// A turn is the interval between two returns of a poll call on one thread. What a thread sends
// follows from something it has read before, and loops keep to an order: at once (each read is
// followed by what follows from it), or later, first in, first out. A connection that is used again
// at once may have been handed on by a pool to whoever has waited for it longest.
// Each rule points at what was read: the request itself, or the response to another call, which
// then has the same parent.

import type { Call, Ingress, Origin } from "../program.ts";

/** Sent after a request had been read, and before anything else was in the same turn. */
export function betweenRequest({ origin }: Call): Ingress | null {
  return origin !== null && origin.by === "between" && origin.from.isWork ? origin.from : null;
}

/** The same of a response. */
export function betweenResponse({ origin }: Call): Ingress | null {
  return origin !== null && origin.by === "between" && !origin.from.isWork ? origin.from : null;
}

/** The response was read, and a request answered before anything else was read in that turn. */
export function betweenAnswer({ after, afterBy }: Call): Ingress | null {
  return after !== null && after.isWork && afterBy === "between" ? after : null;
}

/** The same, and a call was sent, whose parent is known otherwise. */
export function betweenCall(call: Call): Ingress | null {
  const next = nextCall(call);
  return next?.origin?.by === "between" ? next : null;
}

/** Sent in the turn in which a request had been read just before. */
export function afterRequest({ origin }: Call): Ingress | null {
  return origin !== null && origin.by === "at_once" && origin.from.isWork ? origin.from : null;
}

/** Sent in the turn in which a response had been read just before. */
export function afterResponse({ origin }: Call): Ingress | null {
  return origin !== null && origin.by === "at_once" && !origin.from.isWork ? origin.from : null;
}

/** Sent on a connection whose opening followed at once from what was read just before. */
export const afterConnecting = (call: Call): Ingress | null => by(call, "connected");

/** Sent after several were read, one after the other, that lead to such a call: for the first. */
export const afterBatch = (call: Call): Ingress | null => by(call, "batched");

/** The same of a kind that is gathered and sent at the end of the turn. */
export const afterFlush = (call: Call): Ingress | null => by(call, "flushed");

/** Sent after several were read in one go: for the first of them that leads to such a call. */
export const afterTogether = (call: Call): Ingress | null => by(call, "together");

/** Any of these, where as many were sent as the reads of that turn lead to. */
export const matchedInTurn = (call: Call): Ingress | null => by(call, "matched");

/** Sent in the turn in which it was due after the one read that leads to such a call. */
export const afterDue = (call: Call): Ingress | null => by(call, "due");

/** The same, and the read is the first of several. */
export const afterFirstDue = (call: Call): Ingress | null => by(call, "due_first");

/** Sent on a connection just opened, for the oldest read that leads to such a call. */
export const afterOpening = (call: Call): Ingress | null => by(call, "opened");

/** Sent on a connection just freed, for the oldest read that leads to such a call. */
export const afterWaiting = (call: Call): Ingress | null => by(call, "waited");

/** Sent in a turn before anything was read in it: for the oldest read of the turns before. */
export const afterEarlierTurn = (call: Call): Ingress | null => by(call, "earlier");

/** The response was read, and in the same turn a request was answered next. */
export function beforeAnswer({ after, afterBy }: Call): Ingress | null {
  return after !== null && after.isWork && afterBy === "same_turn" ? after : null;
}

/** The response led to nothing in its turn, and a later turn answered a request in its place. */
export function beforeLaterAnswer({ after, afterBy }: Call): Ingress | null {
  return after !== null && after.isWork && afterBy === "later" ? after : null;
}

/** The response was read, and in the turn in which an answer was due, one was written. */
export function beforeDueAnswer({ after, afterBy }: Call): Ingress | null {
  return after !== null && after.isWork && afterBy === "due" ? after : null;
}

/** The same, and it was the first of several that were due. */
export function beforeFirstDueAnswer({ after, afterBy }: Call): Ingress | null {
  return after !== null && after.isWork && afterBy === "due_first" ? after : null;
}

/** The response was read, and a call followed from it at once, whose parent is known otherwise. */
export function beforeNextCall(call: Call): Ingress | null {
  const next = nextCall(call);
  return next?.origin?.by === "at_once" || next?.origin?.by === "connected" ? next : null;
}

/** The same, but the call came later, when it was due or at last could be sent. */
export function beforeLaterCall(call: Call): Ingress | null {
  const next = nextCall(call);
  switch (next?.origin?.by) {
    case "at_once":
    case "between":
    case "connected":
      return null;
    default:
      return next;
  }
}

function nextCall({ after, exchange: { spanId } }: Call): Call | null {
  return after === null || after.isWork || after.decision?.fromId === spanId ? null : after;
}

function by({ origin }: Call, how: Origin["by"]): Ingress | null {
  return origin !== null && origin.by === how ? origin.from : null;
}
