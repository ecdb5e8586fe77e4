// SPDX-License-Identifier: Apache-2.0
// A call when it has just been sent. Every field is written out, and in one place: objects that are
// put together by spreading cost more than all else that linking does for a call.

import type { Call } from "../program.ts";

/** What is known of a call when it is sent. */
export type Sent = Pick<
  Call,
  | "exchange"
  | "kind"
  | "thread"
  | "sentNs"
  | "orderBefore"
  | "openBefore"
  | "only"
  | "lastRequest"
  | "holder"
  | "told"
  | "origin"
  | "step"
  | "handed"
  | "wokenFor"
  | "isFresh"
  | "oldestBefore"
  | "guess"
  | "likely"
>;

export function newCall(sent: Sent): Call {
  return {
    isWork: false,
    exchange: sent.exchange,
    kind: sent.kind,
    thread: sent.thread,
    sentNs: sent.sentNs,
    orderBefore: sent.orderBefore,
    openBefore: sent.openBefore,
    only: sent.only,
    lastRequest: sent.lastRequest,
    holder: sent.holder,
    told: sent.told,
    origin: sent.origin,
    step: sent.step,
    handed: sent.handed,
    wokenFor: sent.wokenFor,
    isFresh: sent.isFresh,
    oldestBefore: sent.oldestBefore,
    guess: sent.guess,
    likely: sent.likely,
    after: null,
    afterBy: "later",
    finished: null,
    handedBack: null,
    wakes: null,
    inLine: null,
    doubted: 0,
    isSuspect: false,
    contest: 0,
    place: -1,
    placed: null,
    isFixed: false,
    weighed: null,
    verdict: null,
    doneThread: null,
    doneTurn: 0,
    doneNs: Infinity,
    responded: false,
    sent: [],
    decision: null,
    learned: false,
    emitted: 0,
  };
}
