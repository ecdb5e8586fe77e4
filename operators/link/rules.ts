// SPDX-License-Identifier: Apache-2.0
// The rules that point at the parent of a call, in order of trust, with what is assumed of each.

import type { Evidence } from "../../model/link.ts";
import { sameIdentity } from "./evidence/identity.ts";
import { nextAnswered, nextInLine } from "./evidence/handoff.ts";
import { finishedBySameThread } from "./evidence/task_end.ts";
import { sameCoroutine, sameThread, sameWorker } from "./evidence/thread.ts";
import {
  afterBatch,
  afterConnecting,
  afterDue,
  afterEarlierTurn,
  afterFirstDue,
  afterFlush,
  afterOpening,
  afterRequest,
  afterResponse,
  afterTogether,
  afterWaiting,
  beforeAnswer,
  beforeDueAnswer,
  beforeFirstDueAnswer,
  beforeLaterAnswer,
  beforeLaterCall,
  beforeNextCall,
  betweenAnswer,
  betweenCall,
  betweenRequest,
  betweenResponse,
  matchedInTurn,
} from "./evidence/turn.ts";
import type { Call, Ingress, ProgramState } from "./program.ts";
import type { Prior } from "./trust/reliability.ts";
import { waitedFor, wokenFor } from "./workers/wakes.ts";

export interface Rule {
  readonly name: string;
  readonly evidence: Evidence;
  readonly prior: Prior;
  /** Holds of many at a time only: one alone is always the first in line. */
  readonly isOrder: boolean;
  /** It is told, not guessed: nothing is learned of it, and what is usual speaks not against it. */
  readonly isTold?: true;
  /** It follows from how the program's loop is built, of which the rule makes sure itself. */
  readonly isBuiltIn?: true;
  /** Whether it looks at how the call was sent, or at what its response led to. */
  readonly side: "sending" | "answering" | "both";
  /**
   * How far it is trusted about contested calls before it was tried on any. "always": it holds of
   * many at a time as well as of one; "as_alone": as far as it was right about one; "little": that
   * it was right about one alone proves nothing.
   */
  readonly inCrowd: "always" | "as_alone" | "little";
  /**
   * True: to be silent about a call whose parent is known counts as a failure. So it is for rules
   * that, where they hold at all, hold for every call.
   */
  readonly speaksAlways: boolean;
  /** A request, or the response to (or the sending of) another call with the same parent. */
  readonly pointsAt: (call: Call, program: ProgramState) => Ingress | null;
}

const proven = { right: 20, wrong: 1, provenFrom: 10, trustMax: 0.999 };

/** Where loops are known to keep to it, it is heard from the start, and to be confirmed. */
const likelyRight = { right: 19, wrong: 1, provenFrom: 0, trustMax: 0.999 };

/** Rules of order: they hold for most, and wait for what the response's side says. */
const loose = { right: 4, wrong: 1, provenFrom: 4, trustMax: 0.94 };

/** Whoever is woken to do something may find that another worker has done it. */
const hinted = { right: 4, wrong: 1, provenFrom: 4, trustMax: 0.8 };

const turn = (name: string, prior: Prior, pointsAt: Rule["pointsAt"]): Rule => ({
  name,
  evidence: "turn",
  prior,
  isOrder: prior === loose,
  side: name.startsWith("after") ? "sending" : "answering",
  inCrowd: "little",
  speaksAlways: false,
  pointsAt,
});

const order = (name: string, pointsAt: Rule["pointsAt"]): Rule => turn(name, loose, pointsAt);

/** What holds between two reads of a turn holds however many requests are open. */
const between = (name: string, side: Rule["side"], pointsAt: Rule["pointsAt"]): Rule => ({
  ...turn(name, likelyRight, pointsAt),
  side,
  inCrowd: "always",
  isBuiltIn: true,
});

export const RULES: readonly Rule[] = [
  {
    name: "identity",
    evidence: "identity",
    prior: { right: 100_000, wrong: 1, provenFrom: 0, trustMax: 0.99999 },
    isOrder: false,
    isTold: true,
    side: "both",
    inCrowd: "always",
    speaksAlways: false,
    pointsAt: sameIdentity,
  },
  {
    name: "coroutine",
    evidence: "thread",
    prior: { right: 10_000, wrong: 1, provenFrom: 0, trustMax: 0.9999 },
    isOrder: false,
    isTold: true,
    side: "both",
    inCrowd: "always",
    speaksAlways: false,
    pointsAt: sameCoroutine,
  },
  {
    name: "thread",
    evidence: "thread",
    prior: { right: 60, wrong: 1, provenFrom: 0, trustMax: 0.999 },
    isOrder: false,
    side: "both",
    inCrowd: "always",
    speaksAlways: true,
    pointsAt: sameThread,
  },
  {
    name: "worker",
    evidence: "thread",
    prior: proven,
    isOrder: false,
    side: "both",
    inCrowd: "little",
    speaksAlways: false,
    pointsAt: sameWorker,
  },
  {
    name: "task_end",
    evidence: "task_end",
    prior: proven,
    isOrder: false,
    side: "both",
    inCrowd: "as_alone",
    speaksAlways: true,
    pointsAt: finishedBySameThread,
  },
  {
    name: "waited_for",
    evidence: "wakeup",
    prior: proven,
    isOrder: false,
    side: "answering",
    inCrowd: "always",
    speaksAlways: false,
    pointsAt: waitedFor,
  },
  {
    name: "woken_for",
    evidence: "wakeup",
    prior: hinted,
    isOrder: false,
    side: "sending",
    inCrowd: "little",
    speaksAlways: false,
    pointsAt: wokenFor,
  },
  {
    name: "in_line",
    evidence: "handoff",
    prior: proven,
    isOrder: true,
    side: "both",
    inCrowd: "always",
    speaksAlways: false,
    pointsAt: ({ inLine }) => inLine,
  },
  {
    name: "handoff",
    evidence: "handoff",
    prior: loose,
    isOrder: true,
    side: "sending",
    inCrowd: "little",
    speaksAlways: false,
    pointsAt: nextInLine,
  },
  {
    name: "handback",
    evidence: "handoff",
    prior: loose,
    isOrder: true,
    side: "answering",
    inCrowd: "little",
    speaksAlways: false,
    pointsAt: nextAnswered,
  },
  between("between_request", "sending", betweenRequest),
  between("between_response", "sending", betweenResponse),
  between("turn_matched", "sending", matchedInTurn),
  between("between_answer", "answering", betweenAnswer),
  between("between_call", "answering", betweenCall),
  turn("after_request", proven, afterRequest),
  turn("after_response", proven, afterResponse),
  turn("after_connecting", proven, afterConnecting),
  turn("after_due", proven, afterDue),
  turn("after_batch", proven, afterBatch),
  order("after_together", afterTogether),
  order("after_flush", afterFlush),
  order("after_first_due", afterFirstDue),
  order("after_opening", afterOpening),
  order("after_waiting", afterWaiting),
  order("after_earlier_turn", afterEarlierTurn),
  turn("before_answer", proven, beforeAnswer),
  turn("before_due_answer", proven, beforeDueAnswer),
  order("before_first_due_answer", beforeFirstDueAnswer),
  order("before_later_answer", beforeLaterAnswer),
  turn("before_next_call", proven, beforeNextCall),
  order("before_later_call", beforeLaterCall),
];

export const IDENTITY = 0;

export const WAITED_FOR = RULES.findIndex(({ name }) => name === "waited_for");
