// SPDX-License-Identifier: Apache-2.0
// Follows requests that wait for workers of a pool: keeps the likeliest courses that things may
// have taken, all requests jointly, and says whose a call was as far as they agree.
//
// Every answer is a test: a request whose call was still under way cannot have been answered. Where
// no course passes, the program does not keep to the order of a line, and nothing is said of it.

import type { Call, ProgramState, Thread, Work } from "../program.ts";
import { ANSWER } from "../consequences.ts";
import { type Flow, learnStep, startFlow, stepCost } from "../shape/flow.ts";
import { nextStep, tellStory } from "../shape/story.ts";
import { addChoices, type Choices, idleCost, type Sending } from "./choices.ts";
import {
  certaintyOf,
  forgetPast,
  likeliestChoices,
  madeFor,
  ownerIn,
  ownersOf,
  settled,
  suspect,
} from "./courses.ts";
import {
  beginPlace,
  choose,
  type Course,
  goOn,
  type Made,
  over,
  type Place,
  placeAfterCall,
  placeInCall,
  placeOfWork,
  remove,
  startCourse,
} from "./place_in_line.ts";

export interface Pool {
  /** Costs are relative to the first. */
  courses: Course[];
  readonly flow: Flow;
  /** Requests that it was learned from, by kind. */
  readonly told: Map<number, number>;
  /** When workers that are not in a call read the response to their last one. */
  readonly free: Map<Thread, number>;
  readonly met: WeakSet<Thread>;
  /** Calls, while others waited, since a worker was met first: there may be more. */
  sinceNew: number;
  /** Takes in order, and those that passed over someone in line without a reason. */
  inOrder: number;
  swapped: number;
  /** The same of answers, by when what they wait for was done. */
  answersInOrder: number;
  answersSwapped: number;
  /** Whether the worker of one call of a request made the next one as well. */
  sameWorker: number;
  otherWorker: number;
  /** Answers of late, and how often courses that had held for a while did not allow for one. */
  tested: number;
  failed: number;
  /** Answers to come until courses are believed again. */
  shaken: number;
  /** Calls since the past was last forgotten. */
  sincePast: number;
  /** Calls of late, and those of them that courses were not believed about. */
  calls: number;
  suspects: number;
  /** Calls of late that courses were asked about, because nothing else told whose they were. */
  asked: number;
  /** Where courses hold hardly ever, or are not needed, none is followed until then. */
  restsUntilNs: number;
}

const startPool = (program: ProgramState): Pool => ({
  courses: [startCourseOf(program)],
  flow: startFlow(),
  told: new Map(),
  free: new Map(),
  met: new WeakSet(),
  sinceNew: 0,
  inOrder: 20,
  swapped: 1,
  answersInOrder: 4,
  answersSwapped: 1,
  sameWorker: 0,
  otherWorker: 0,
  tested: 0,
  failed: 0,
  shaken: shakenFor,
  sincePast: 0,
  calls: 0,
  suspects: 0,
  asked: 0,
  restsUntilNs: 0,
});

const startCourseOf = ({ works }: ProgramState): Course =>
  works.filter(({ endNs }) => endNs === Infinity).map(beginPlace).reduce(join, startCourse);

const join = (course: Course, place: Place): Course => ({
  ...course,
  line: [...course.line, place],
  hash: course.hash + place.hash,
});

/** A request was read. */
export function joinPool(work: Work, { pool }: ProgramState): void {
  if (pool === null || pool.courses.length === 0) return;
  if ((pool.courses[0]?.line.length ?? 0) >= lineMax) return rest(pool, work.readNs);
  const place = beginPlace(work);
  const lines = new Map<readonly Place[], readonly Place[]>();
  pool.courses = pool.courses.map((course) => {
    let line = lines.get(course.line);
    if (line === undefined) lines.set(course.line, line = [...course.line, place]);
    return { ...course, line, hash: course.hash + place.hash };
  });
}

/** A thread that reads no requests has sent one. */
export function callInPool(call: Call, program: ProgramState): void {
  if (call.thread.readsRequests || call.told !== null || program.works.length === 0) return;
  const pool = program.pool ??= startPool(program);
  if (isResting(pool, call, program)) return;
  const choices: Choices = { all: [], least: Infinity };
  const sending = sendingOf(call, pool);
  for (const course of pool.courses) addChoices(choices, course, sending);
  const places = new Map<Place, Place>();
  const kept = likeliestChoices(choices, call, temperOf(pool));
  pool.courses = kept.map((choice) => {
    const { place } = choice;
    let next = place === null ? undefined : places.get(place);
    if (place !== null && next === undefined) places.set(place, next = placeInCall(place, call));
    return choose(choice, call, next ?? null, choices.least);
  });
}

/** Counts how often courses are believed, and asked; follows none where that is hardly ever. */
function isResting(pool: Pool, call: Call, program: ProgramState): boolean {
  call.isSuspect = pool.shaken > 0;
  if (pool.courses.length === 0) {
    if (call.sentNs < pool.restsUntilNs) return true;
    pool.courses = [startCourseOf(program)];
    pool.shaken = shakenFor;
  }
  if (++pool.sincePast >= pastEvery) {
    pool.sincePast = 0;
    forgetPast(pool.courses);
  }
  pool.calls++;
  if (call.isSuspect) pool.suspects++;
  if (pool.calls < countedCalls) return false;
  const isVain = pool.suspects > pool.calls * vainFrom || pool.asked < pool.calls * askedMin;
  pool.calls /= 2;
  pool.suspects /= 2;
  pool.asked /= 2;
  if (!isVain) return false;
  rest(pool, call.sentNs);
  return true;
}

function rest(pool: Pool, nowNs: number): void {
  pool.courses = [];
  pool.restsUntilNs = nowNs + restNs;
}

/** Longer lines would take too much of the processor. */
const lineMax = 1_024;

/** Calls between two looks at what may be forgotten. */
const pastEvery = 512;
const countedCalls = 400;
const vainFrom = 0.6;
const askedMin = 0.015;
const restNs = 5e9;

/** It is known otherwise for whom a call was made. */
export function tellPool(call: Call, work: Work, { pool }: ProgramState): void {
  if (pool === null || call.thread.readsRequests) return;
  const isOwn = ownersOf(call, pool.courses, work);
  const next = pool.courses.map((course, i) =>
    isOwn[i] ? course : { ...course, cost: course.cost + contradictionCost }
  );
  pool.courses = settled(next, temperOf(pool));
}

function sendingOf(call: Call, pool: Pool): Sending {
  const { free, flow, told, inOrder, swapped, met } = pool;
  if (!met.has(call.thread)) pool.sinceNew = 0;
  else if ((pool.courses[0]?.line.length ?? 0) > 1) pool.sinceNew++;
  met.add(call.thread);
  const freeNs = free.get(call.thread) ?? Infinity;
  free.delete(call.thread);
  let freeEarlier = 0;
  for (const ns of free.values()) if (ns < freeNs) freeEarlier++;
  return {
    call,
    flow,
    told,
    free: free.size + (pool.sinceNew < newFor ? newWorkers : 0),
    freeEarlier,
    isShared: isShared(pool),
    overtakingCost: -Math.log((swapped + 0.5) / (inOrder + swapped)),
  };
}

/** So many workers may be there unseen for so many calls after one was met first. */
const newWorkers = 8;
const newFor = 50;

/** Another worker makes the next call of a request. */
export const isShared = ({ sameWorker, otherWorker }: Pool): boolean => otherWorker > sameWorker;

/** Where each call is another worker's, it is told by times alone that belong together. */
const temperOf = (pool: Pool): number => isShared(pool) ? 0.7 : 0.9;

/** The response to a call was read. */
export function hearInPool(call: Call, { pool }: ProgramState): void {
  if (pool === null || call.thread.readsRequests || call.told !== null) return;
  pool.free.set(call.thread, call.doneNs);
  if (pool.free.size > freeMax) {
    const [longest] = pool.free.keys();
    if (longest !== undefined) pool.free.delete(longest);
  }
  const isHandedOn = isShared(pool);
  const places = new Map<Place, Place>();
  pool.courses = pool.courses.map((course) => {
    const place = course.taken.find(({ busy }) => busy.includes(call));
    if (place === undefined) return course;
    let next = places.get(place);
    if (next === undefined) {
      next = placeAfterCall(place, call);
      if (isLast(next, pool.flow)) next = over(next);
      places.set(place, next);
    }
    return goOn(course, place, next, isHandedOn && !next.isOver);
  });
}

/** Free workers of a program that are remembered. */
const freeMax = 256;

/** The answer comes next, most likely. */
const isLast = (place: Place, flow: Flow): boolean =>
  idleCost(place, place.chapter.lastNs, flow) < lastCost;

const lastCost = 0.1;

/** A request was answered, or given up. */
export function leavePool(work: Work, by: Thread | null, { pool }: ProgramState): void {
  const [best] = pool?.courses ?? [];
  if (pool === null || best === undefined) return;
  const made = by === null ? [] : madeFor(work, best);
  const costs = new Map<Place, number>();
  const overtaking = -Math.log(pool.answersSwapped / (pool.answersInOrder + pool.answersSwapped));
  const next = pool.courses.map((course) => {
    const place = placeOfWork(course, work);
    if (place === null) return course;
    let cost = by === null ? 0 : costs.get(place);
    if (cost === undefined) costs.set(place, cost = answerCost(place, by, pool.flow));
    if (by !== null && isOvertaking(place, course)) cost += overtaking;
    return remove(course, place, cost);
  });
  const isAllowed = pool.courses.some((course) => {
    const place = placeOfWork(course, work);
    return course.cost < likelyCost && place !== null && mayAnswer(place, pool.flow);
  });
  pool.courses = settled(next, temperOf(pool));
  if (by === null) return;
  pool.tested++;
  if (isAllowed) pool.shaken = Math.max(0, pool.shaken - 1);
  else {
    if (pool.shaken === 0) pool.failed++;
    pool.shaken = shakenFor;
    suspect(best);
  }
  if (pool.tested > testsKept) {
    pool.tested /= 2;
    pool.failed /= 2;
  }
  if (learnFrom(work, made, pool)) {
    const place = placeOfWork(best, work);
    if (place !== null && isOvertaking(place, best)) pool.answersSwapped++;
    else pool.answersInOrder++;
  }
}

/** Another one was done before it, and is not answered yet. */
function isOvertaking({ chapter }: Place, { taken }: Course): boolean {
  return taken.some((other) =>
    other.busy.length === 0 && other.isOver && other.chapter.lastNs < chapter.lastNs
  );
}

/** Of an answer, or of one while a call is under way. */
function answerCost({ chapter, busy, work }: Place, by: Thread | null, flow: Flow): number {
  if (by === null || busy.length > 0) return contradictionCost;
  return Math.min(contradictionCost, stepCost(nextStep(chapter, ANSWER, work.answerNs, by), flow));
}

/** After an answer that no course allowed for, so many more have to be as they should. */
const shakenFor = 24;

const contradictionCost = 25;

/** Nothing is under way for it, and such requests are answered after what was done. */
const mayAnswer = (place: Place, flow: Flow): boolean =>
  place.busy.length === 0 && idleCost(place, place.work.answerNs, flow) < oddCost;

const oddCost = 4;

/** Of courses that count when an answer tests them. */
const likelyCost = 8;
const testsKept = 200;

/** A request has ended whose calls are known: it was alone, or no course says otherwise. */
function learnFrom(work: Work, made: readonly Made[], pool: Pool): boolean {
  if (
    made.some(({ call }) => certaintyOf(call, work, pool.courses, temperOf(pool)) < learnedFrom)
  ) {
    return false;
  }
  pool.told.set(work.kind, (pool.told.get(work.kind) ?? 0) + 1);
  const story = made.map(({ call }) => call);
  tellStory({ ...work, story }, (step) => learnStep(step, 1, pool.flow));
  for (const { inOrder } of made) if (inOrder !== null) learnOrder(pool, inOrder);
  for (let i = 1; i < story.length; i++) {
    if (story[i]?.thread === story[i - 1]?.thread) pool.sameWorker++;
    else pool.otherWorker++;
  }
  return true;
}

const learnedFrom = 0.9;

function learnOrder(pool: Pool, isInOrder: boolean): void {
  if (isInOrder) pool.inOrder++;
  else pool.swapped++;
  if (pool.inOrder + pool.swapped < testsKept) return;
  pool.inOrder /= 2;
  pool.swapped /= 2;
}

/** Whose the call was, if all likely courses agree, and courses hold in this program. */
export function ownerInPool(call: Call, { pool }: ProgramState): Work | null {
  const [best] = pool?.courses ?? [];
  if (pool === null || best === undefined || call.thread.readsRequests) return null;
  pool.asked++;
  if (call.isSuspect) return null;
  const owner = ownerIn(best, call);
  if (pool.suspects > pool.calls * suspectsMax) return null;
  if (pool.tested < testedFrom || pool.failed > pool.tested * failedMax) return null;
  return owner !== null && certaintyOf(call, owner, pool.courses, temperOf(pool)) >= certainFrom
    ? owner
    : null;
}

const testedFrom = 20;
const failedMax = 0.02;
const suspectsMax = 0.3;
const certainFrom = 0.999;
