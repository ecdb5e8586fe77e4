// SPDX-License-Identifier: Apache-2.0
// All that may have led to a call that a worker has sent, and what each of it costs: the worker
// went on with what it had, took who was first in line, or passed over some of them.

import { ANSWER } from "../consequences.ts";
import type { Call, Thread } from "../program.ts";
import { type Flow, kindShare, stepCost } from "../shape/flow.ts";
import { nextStep } from "../shape/story.ts";
import type { Choice, Course, Place } from "./place_in_line.ts";

/** A call, and what is known at that moment whichever course things took. */
export interface Sending {
  readonly call: Call;
  readonly flow: Flow;
  /** By kind of request: how many the flow was learned from. */
  readonly told: ReadonlyMap<number, number>;
  /** Other workers that are in no call; so many of them since before this one was. */
  readonly free: number;
  readonly freeEarlier: number;
  /** Another worker makes the next call of a request, or the same one. */
  readonly isShared: boolean;
  /** Of passing over someone without a reason. */
  readonly overtakingCost: number;
}

/** All choices that count, and the least that one of them costs. */
export interface Choices {
  readonly all: Choice[];
  least: number;
}

/** What costs so much more than the best choice leaves no doubt behind. */
export const vainMargin = 14;

function add(choice: Choice, choices: Choices): void {
  if (choice.cost > choices.least + vainMargin) return;
  if (choice.cost < choices.least) choices.least = choice.cost;
  choices.all.push(choice);
}

/** What it costs if nobody made the call. */
const nobodysCost = 28;

/** Of passing over one that a worker must have taken who was free before. */
const excusedCost = 1;

/** Of passing over one although no worker is free that may have taken it. */
const impossibleCost = 7;

/** Such a request needs a worker still: it costs so much to say that it does not. */
const needyFrom = 2;

const lookedAtMax = 16;

export function addChoices(choices: Choices, course: Course, sending: Sending): void {
  const { thread } = sending.call;
  const { taken, passed } = course;
  const cost = course.cost + nobodysCost;
  add({ course, place: null, passedOver: -1, inOrder: true, cost }, choices);
  const held = heldBy(thread, taken);
  if (held !== null) return addOf(held, course, 0, choices, sending);
  const own = sending.isShared ? undefined : lastOf(thread, taken);
  const finishing = own === undefined ? 0 : idleCostOf(own, sending);
  for (const place of taken) {
    if (place.busy.length > 0) continue;
    addOf(place, course, place === own ? 0 : finishing, choices, sending);
  }
  for (let i = 0; i < passed.length && i < lookedAtMax; i++) {
    const place = passed[i];
    if (place !== undefined) addOf(place, course, finishing, choices, sending);
  }
  addInLine(course, finishing, choices, sending);
}

/** One that is not in line. */
function addOf(
  place: Place,
  course: Course,
  more: number,
  choices: Choices,
  sending: Sending,
): void {
  if (course.cost + more > choices.least + vainMargin) return;
  const cost = more + costOfCall(place, sending);
  if (cost >= nobodysCost) return;
  add({ course, place, passedOver: -1, inOrder: true, cost: course.cost + cost }, choices);
}

function addInLine(
  course: Course,
  finishing: number,
  choices: Choices,
  sending: Sending,
): void {
  const { line, passed } = course;
  let needy = 0;
  for (const place of passed) if (idleCostOf(place, sending) >= needyFrom) needy++;
  let excused = sending.freeEarlier;
  let over = finishing;
  let inOrder = true;
  for (let i = 0; i < line.length && i < lookedAtMax && over < nobodysCost; i++) {
    const place = line[i];
    if (place === undefined || course.cost + over > choices.least + vainMargin) break;
    const cost = over + costOfCall(place, sending);
    if (cost < nobodysCost) {
      add({ course, place, passedOver: i, inOrder, cost: course.cost + cost }, choices);
    }
    const idle = idleCostOf(place, sending);
    const isNeedy = idle >= needyFrom;
    const reason = excused > 0 ? excusedCost : sending.overtakingCost;
    const passing = reason + (isNeedy && ++needy > sending.free ? impossibleCost : 0);
    over += Math.min(idle, passing);
    if (idle < passing) continue;
    if (excused > 0) excused--;
    else inOrder = false;
  }
}

/** Courses share places, and places their chapters: what is known of one is not asked again. */
function costOfCall({ work, chapter }: Place, { call, flow, told }: Sending): number {
  if (chapter.asked === call) return chapter.askedCost;
  const step = nextStep(chapter, call.kind, call.sentNs, call.thread);
  const isNew = (told.get(work.kind) ?? 0) >= toldFrom && !flow.points.has(step.coarse);
  chapter.asked = call;
  return chapter.askedCost = stepCost(step, flow) + (isNew ? newCost : 0);
}

/** Of doing anything where no such request has ever done something. */
const newCost = 6;
const toldFrom = 8;

function idleCostOf(place: Place, { call, flow }: Sending): number {
  if (place.idleAt === call) return place.idleCost;
  place.idleAt = call;
  return place.idleCost = idleCost(place, call.sentNs, flow);
}

/** Of saying that a request needs no worker any more. */
export function idleCost({ chapter, work }: Place, atNs: number, flow: Flow): number {
  return -Math.log(kindShare(nextStep(chapter, ANSWER, atNs, work.thread), flow));
}

/** The request that the worker is in a call for. */
function heldBy(worker: Thread, taken: readonly Place[]): Place | null {
  for (const place of taken) {
    for (const { thread } of place.busy) if (thread === worker) return place;
  }
  return null;
}

/** What the worker did last, if that may not be over. */
function lastOf(worker: Thread, taken: readonly Place[]): Place | undefined {
  let last: Place | undefined;
  for (const place of taken) {
    if (place.worker !== worker) continue;
    if (last === undefined || place.chapter.lastNs > last.chapter.lastNs) last = place;
  }
  return last;
}
