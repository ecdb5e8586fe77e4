// SPDX-License-Identifier: Apache-2.0
// The rules by which requests of one program are linked, as people read of them: names, what kind
// of evidence they are, and why they point where they point. Rules between programs are in
// ../parent_rules.ts.

import type { Evidence } from "../link.ts";

export interface LinkRuleWords {
  readonly evidence: Evidence;
  /** Completes "because …"; "it" is the request that was sent. */
  readonly because: string;
}

export const LINK_RULES: Readonly<Record<string, LinkRuleWords>> = {
  identity: {
    evidence: "identity",
    because: "both carry the same id in their bytes",
  },
  coroutine: {
    evidence: "thread",
    because:
      "it was sent by the coroutine (goroutine, task of asyncio, or context of Node) that worked " +
      "on this request, or by one that it started or awaits",
  },
  thread: {
    evidence: "thread",
    because: "it was sent by the thread that had read this request, and no other since",
  },
  worker: {
    evidence: "thread",
    because: "its worker thread had just made another call for the same request",
  },
  task_end: {
    evidence: "task_end",
    because: "the thread that sent it answered this request next, and did nothing else in between",
  },
  waited_for: {
    evidence: "wakeup",
    because: "the thread that waited for the response, and was woken by it, held this request",
  },
  woken_for: {
    evidence: "wakeup",
    because: "the thread that sent it had been woken by one that worked for this request",
  },
  in_line: {
    evidence: "handoff",
    because: "workers take up requests in the order of a line, and no other course of the line " +
      "would explain what was called and answered",
  },
  handoff: {
    evidence: "handoff",
    because: "it was the oldest request that no worker had taken up",
  },
  handback: {
    evidence: "handoff",
    because: "it was answered next, in the order in which results became ready",
  },
  between_request: {
    evidence: "turn",
    because: "the event loop sent it after it had read this request, and before it read anything " +
      "else in the same turn",
  },
  between_response: {
    evidence: "turn",
    because: "the event loop sent it after it had read the response to another call of this " +
      "request, and before it read anything else in the same turn",
  },
  turn_matched: {
    evidence: "turn",
    because: "as many such calls were sent at the end of a turn as what was read in it leads to, " +
      "in the same order",
  },
  between_answer: {
    evidence: "turn",
    because: "the event loop answered this request after it had read the response, and before " +
      "it read anything else in the same turn",
  },
  between_call: {
    evidence: "turn",
    because: "after its response was read, and before anything else was in the same turn, the " +
      "event loop sent another call for this request",
  },
  after_request: {
    evidence: "turn",
    because: "it was sent in the turn of the event loop in which this request had just been read",
  },
  after_response: {
    evidence: "turn",
    because: "it was sent in the turn of the event loop in which the response to another call " +
      "of this request had just been read",
  },
  after_connecting: {
    evidence: "turn",
    because: "its connection was opened in the turn of the event loop in which that which it " +
      "follows from had just been read, this request or the response to another call of it",
  },
  after_flush: {
    evidence: "turn",
    because: "such calls are gathered and sent in the order of what was read in that turn",
  },
  after_together: {
    evidence: "turn",
    because: "of several that were read in one go before it was sent, this was the first that " +
      "leads to such a call",
  },
  after_batch: {
    evidence: "turn",
    because: "of several that were read one after the other before it was sent, this was the first",
  },
  after_due: {
    evidence: "turn",
    because: "only this request was due to lead to such a call in that turn of the event loop",
  },
  after_first_due: {
    evidence: "turn",
    because: "it was the first of several that were due to lead to such a call in that turn",
  },
  after_opening: {
    evidence: "turn",
    because: "a connection was opened for it, and this request had waited longest for one",
  },
  after_waiting: {
    evidence: "turn",
    because: "its connection had just become free, and this request had waited longest for one",
  },
  after_earlier_turn: {
    evidence: "turn",
    because: "it was the oldest read of earlier turns of the event loop that led to nothing yet",
  },
  before_later_call: {
    evidence: "turn",
    because: "its response was read, and another call of this request followed from it later",
  },
  before_answer: {
    evidence: "turn",
    because: "its response was read, and this request was answered next in the same turn",
  },
  before_due_answer: {
    evidence: "turn",
    because: "its response was read, and only this request was due to be answered in that turn",
  },
  before_first_due_answer: {
    evidence: "turn",
    because: "its response was read, and of the answers due in that turn this was the first",
  },
  before_later_answer: {
    evidence: "turn",
    because: "its response was read, and a later turn answered this request in its place",
  },
  before_next_call: {
    evidence: "turn",
    because: "its response was read, and another call of this request followed from it",
  },
  one_by_one: {
    evidence: "thread",
    because: "its thread works on the messages that it has read one after the other, and this " +
      "is what is done for such a message",
  },
  settles: {
    evidence: "message",
    because: "it says that this message is done with",
  },
  shape: {
    evidence: "shape",
    because: "with this call, what was done for this request is most like what such requests do",
  },
};
