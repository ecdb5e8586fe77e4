// SPDX-License-Identifier: Apache-2.0
// One way in which the calls of workers may have come about: which requests still wait for a
// worker, in which order, how far each of the others has come, and who made which call.
//
// First in, first out: a request joins the line when it is read, and again after each call if other
// workers make the next one. Who takes it is seen only by the first call, so takers may seem to
// have overtaken each other, and requests that call nobody leave the line unseen.

import type { Call, Thread, Work } from "../program.ts";
import { afterCall, afterResponse, beginStory, type Chapter } from "../shape/story.ts";

/** How far a request has come. Courses share places. */
export interface Place {
  readonly work: Work;
  readonly chapter: Chapter;
  /** Who has made its last call. */
  readonly worker: Thread | null;
  /** The calls that are under way. */
  readonly busy: readonly Call[];
  /** Nothing but an answer is to be expected. */
  readonly isOver: boolean;
  readonly hash: number;
  /** The call that was last asked about as its next one, and what it costs that it made none. */
  idleAt: Call | null;
  idleCost: number;
}

/** Who made which call, the last one first. */
export interface Made {
  readonly call: Call;
  readonly work: Work | null;
  /** Nobody in line was passed over without a reason; null if it was alone, or not in line. */
  readonly inOrder: boolean | null;
  /** Cut off where nobody looks back any more. */
  before: Made | null;
  /** How likely all courses are together that go through here, while that is counted; else 0. */
  weight: number;
}

export interface Course {
  readonly cost: number;
  /** Requests that wait for a worker, in order. */
  readonly line: readonly Place[];
  /** Those that were passed over: taken already, or in need of no worker. */
  readonly passed: readonly Place[];
  /** Those that a worker has, or has finished. */
  readonly taken: readonly Place[];
  readonly made: Made | null;
  /** Of all places: two courses of one hash go on alike. */
  readonly hash: number;
}

export const startCourse: Course = {
  ...{ cost: 0, line: [], passed: [], taken: [], made: null, hash: 0 },
};

export const beginPlace = (work: Work): Place => placeOf(work, beginStory(work), null, []);

export const placeInCall = ({ work, chapter, busy }: Place, call: Call): Place =>
  placeOf(work, afterCall(chapter, call), call.thread, [...busy, call]);

export const placeAfterCall = ({ work, chapter, worker, busy }: Place, call: Call): Place =>
  placeOf(work, afterResponse(chapter, call), worker, busy.filter((each) => each !== call));

export const over = (place: Place): Place => ({ ...place, isOver: true });

function placeOf(
  work: Work,
  chapter: Chapter,
  worker: Thread | null,
  busy: readonly Call[],
): Place {
  let hash = Math.imul(work.order + 1, 0x9e3779b1) ^ Math.imul(chapter.exact, 0x85ebca6b);
  for (const { sentNs } of busy) hash ^= Math.imul(sentNs % 0x7fff_ffff, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return {
    work,
    chapter,
    worker,
    busy,
    isOver: false,
    hash: (hash ^ (hash >>> 13)) >>> 0,
    idleAt: null,
    idleCost: 0,
  };
}

/** Who made a call, and what that costs. */
export interface Choice {
  readonly course: Course;
  /** Null: nobody. */
  readonly place: Place | null;
  /** So many at the head of the line were passed over; -1 if the place is not in line. */
  readonly passedOver: number;
  readonly inOrder: boolean;
  /** Of the course and the choice. */
  readonly cost: number;
}

/** `next`: the place in that call. Costs are relative to `least` from now on. */
export function choose(
  choice: Choice,
  call: Call,
  next: Place | null,
  least: number,
): Course {
  const { course, place, passedOver, inOrder } = choice;
  const cost = choice.cost - least;
  const isInLine = passedOver >= 0;
  const work = place?.work ?? null;
  const made = {
    call,
    work,
    inOrder: isInLine && course.line.length > 1 ? inOrder : null,
    before: course.made,
    weight: 0,
  };
  if (place === null || next === null) return { ...course, cost, made };
  const hash = course.hash - place.hash + next.hash;
  if (!isInLine) {
    const passed = without(course.passed, place);
    const taken = [...without(course.taken, place), next];
    return { cost, line: course.line, passed, taken, made, hash };
  }
  const passed = passedOver === 0
    ? course.passed
    : [...course.passed, ...course.line.slice(0, passedOver)];
  const line = course.line.slice(passedOver + 1);
  return { cost, line, passed, taken: [...course.taken, next], made, hash };
}

/** The same array if it is not in there. */
function without(places: readonly Place[], place: Place): readonly Place[] {
  const at = places.indexOf(place);
  return at < 0 ? places : places.toSpliced(at, 1);
}

/** A place of a course and where it stands. */
export function placeOfWork(course: Course, work: Work): Place | null {
  return placeIn(course.taken, work) ?? placeIn(course.passed, work) ?? placeIn(course.line, work);
}

function placeIn(places: readonly Place[], work: Work): Place | null {
  for (const place of places) if (place.work === work) return place;
  return null;
}

export function remove(course: Course, place: Place, cost: number): Course {
  return {
    cost: course.cost + cost,
    line: without(course.line, place),
    passed: without(course.passed, place),
    taken: without(course.taken, place),
    made: course.made,
    hash: course.hash - place.hash,
  };
}

/** The next step is another worker's, who takes it in turn, or the same one's. */
export function goOn(course: Course, place: Place, next: Place, isHandedOn: boolean): Course {
  const taken = without(course.taken, place);
  const hash = course.hash - place.hash + next.hash;
  return isHandedOn
    ? { ...course, taken, line: [...course.line, next], hash }
    : { ...course, taken: [...taken, next], hash };
}
