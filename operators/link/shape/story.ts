// SPDX-License-Identifier: Apache-2.0
// The story of a request: it was read, calls were sent and answered, then it was answered itself.
// A chapter is how far a story has come.

import { ANSWER } from "../consequences.ts";
import type { Call, Thread, Work } from "../program.ts";
import { type Flow, type Step, stepCost } from "./flow.ts";

export interface Chapter {
  readonly kind: number;
  /** Hash of all that has happened. */
  readonly exact: number;
  readonly lastEvent: number;
  readonly lastNs: number;
  readonly lastThread: Thread;
  /** When something was read last. */
  readonly heardNs: number;
  /** Calls sent. */
  readonly sent: number;
  readonly crowd: number;
  /** The call that was last asked about as what comes next, and what it cost at that moment. */
  asked: Call | null;
  askedCost: number;
}

export const beginStory = ({ kind, readNs, thread, crowd }: Work): Chapter => ({
  kind,
  exact: mix(kind, -7),
  lastEvent: 1,
  lastNs: readNs,
  lastThread: thread,
  heardNs: readNs,
  sent: 0,
  crowd,
  asked: null,
  askedCost: 0,
});

export function afterCall(chapter: Chapter, call: Call): Chapter {
  const lastEvent = 2 * call.kind + 5;
  return {
    kind: chapter.kind,
    exact: mix(chapter.exact, lastEvent),
    lastEvent,
    lastNs: call.sentNs,
    lastThread: call.thread,
    heardNs: chapter.heardNs,
    sent: Math.min(chapter.sent + 1, callsCounted),
    crowd: chapter.crowd,
    asked: null,
    askedCost: 0,
  };
}

export function afterResponse(chapter: Chapter, call: Call): Chapter {
  const lastEvent = 2 * call.kind + 4;
  return {
    kind: chapter.kind,
    exact: mix(chapter.exact, lastEvent),
    lastEvent,
    lastNs: call.doneNs,
    lastThread: call.doneThread ?? call.thread,
    heardNs: call.doneNs,
    sent: chapter.sent,
    crowd: chapter.crowd,
    asked: null,
    askedCost: 0,
  };
}

/** Calls beyond these are not counted one by one. */
const callsCounted = 15;

const step: Step = {
  kind: 0,
  exact: 0,
  coarse: 0,
  last: 0,
  gapUs: 0,
  crowd: 0,
  isSameThread: false,
};

/** What is sent next; valid until the next time this is asked. */
export function nextStep(chapter: Chapter, kind: number, atNs: number, by: Thread): Step {
  step.kind = kind;
  step.exact = chapter.exact;
  step.coarse = mix(mix(chapter.kind, chapter.lastEvent), chapter.sent);
  step.last = mix(chapter.lastEvent, -3);
  step.gapUs = (atNs - chapter.lastNs) / 1_000;
  step.crowd = chapter.crowd;
  step.isSameThread = by === chapter.lastThread;
  return step;
}

/** What a call costs as what comes next; asked again in the same moment, it is not found anew. */
export function callCost(chapter: Chapter, call: Call, flow: Flow): number {
  if (chapter.asked === call) return chapter.askedCost;
  const cost = stepCost(nextStep(chapter, call.kind, call.sentNs, call.thread), flow);
  chapter.asked = call;
  chapter.askedCost = cost;
  return cost;
}

/** Shows what was sent for a request, calls and answer; steps are valid until the next one. */
export function tellStory(work: Work, show: (step: Step) => void): void {
  const { story, answerNs, answerThread } = work;
  const heard = story.filter(({ doneNs }) => doneNs !== Infinity)
    .sort((a, b) => a.doneNs - b.doneNs);
  let chapter = beginStory(work);
  let told = 0;
  const hear = (untilNs: number): void => {
    for (let call = heard[told]; call !== undefined; call = heard[told]) {
      if (call.doneNs > untilNs) return;
      chapter = afterResponse(chapter, call);
      told++;
    }
  };
  for (const call of story) {
    hear(call.sentNs);
    show(nextStep(chapter, call.kind, call.sentNs, call.thread));
    chapter = afterCall(chapter, call);
  }
  if (answerNs === Infinity || answerThread === null) return;
  hear(answerNs);
  show(nextStep(chapter, ANSWER, answerNs, answerThread));
}

/** The story as it stood when something was sent. */
export function chapterAt(work: Work, atNs: number): Chapter {
  const { story } = work;
  let chapter = beginStory(work);
  let toldNs = -Infinity;
  const hear = (untilNs: number): void => {
    for (;;) {
      let first: Call | null = null;
      for (const call of story) {
        if (call.doneNs <= toldNs || call.doneNs > untilNs) continue;
        if (first === null || call.doneNs < first.doneNs) first = call;
      }
      if (first === null) return;
      toldNs = first.doneNs;
      chapter = afterResponse(chapter, first);
    }
  };
  for (const call of story) {
    if (call.sentNs >= atNs) break;
    hear(call.sentNs);
    chapter = afterCall(chapter, call);
  }
  hear(atNs);
  return chapter;
}

function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ Math.imul(value, 0x9e3779b1), 0x85ebca6b);
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0xc2b2ae35) ^ (mixed >>> 13);
}

/** When what a call follows from was read, if it belongs to this work. */
export function causeNs(call: Call, work: Work, calls: readonly Call[]): number {
  let latestNs = work.readNs;
  for (const each of calls) {
    if (each !== call && each.doneNs <= call.sentNs && each.doneNs > latestNs) {
      latestNs = each.doneNs;
    }
  }
  return latestNs;
}
