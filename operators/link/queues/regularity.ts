// SPDX-License-Identifier: Apache-2.0
// Nobody answers a message, so nothing tells afterwards whether calls were given to the right one.
// But what is done for messages of a kind is much the same each time: where calls are given to
// wrong ones, some get too many and some too few. So rules learn from how regular the works are
// that they make.

import { LIMITS } from "../../../model/limits.ts";
import type { Call, ProgramState } from "../program.ts";
import { RULES } from "../rules.ts";
import { learn } from "../trust/reliability.ts";
import { reliabilityOf } from "../trust/trusted.ts";
import { continued, DONE, untouched } from "./habits.ts";

/** By kind of message: how often what was done for it, as a whole. */
export type Courses = Map<number, Course>;

interface Course {
  total: number;
  readonly counts: Map<number, number>;
}

/** A call, and the rule that gave it to its message when it was sent; -1 if none did. */
export interface Following {
  readonly call: Call;
  readonly rule: number;
}

/** Sent in the turn of what was read just before: that this is the cause is what is put to test. */
export function followingOf(call: Call): Following {
  const tested = testedRule(call);
  return { call, rule: tested === "" ? -1 : RULES.findIndex(({ name }) => name === tested) };
}

function testedRule({ origin }: Call): string {
  switch (origin?.by) {
    case "connected":
      return "after_connecting";
    case "at_once":
      return origin.from.isWork ? "after_request" : "after_response";
    case "between":
      return origin.from.isWork ? "between_request" : "between_response";
    default:
      return "";
  }
}

/** All that was done for a message; true if that is usual, or nothing is known of it. */
export function learnCourse(
  kind: number,
  followings: readonly Following[],
  courses: Courses,
  program: ProgramState,
): boolean {
  let course = courses.get(kind);
  if (course === undefined) {
    if (courses.size >= LIMITS.linkKinds.value) return false;
    course = { total: 0, counts: new Map() };
    courses.set(kind, course);
  }
  let done = untouched(kind);
  for (const { call } of followings) done = continued(done, call.kind);
  done = continued(done, DONE);
  const seen = course.counts.get(done) ?? 0;
  const share = seen / Math.max(1, course.total);
  const isProven = course.total >= provenFrom;
  const isRegular = share >= regularFrom;
  const weight = share >= usualFrom ? 1 : weightRight;
  if (isProven) {
    for (const following of followings) {
      const { call } = following;
      const rule = call.origin?.by === "between" ? followingOf(call).rule : following.rule;
      if (isRegular) learnRight(rule, call, weight, program);
      else {
        const reliability = reliabilityOf(rule, call, program);
        if (reliability !== undefined) learn(reliability, false);
      }
    }
  }
  course.total++;
  if (course.counts.size < coursesMax || seen > 0) course.counts.set(done, seen + 1);
  if (course.total > fadeFrom) fade(course);
  return isRegular || !isProven;
}

/** What is right among many is right among fewer as well. */
function learnRight(rule: number, call: Call, weight: number, program: ProgramState): void {
  const own = reliabilityOf(rule, call, program);
  if (own === undefined) return;
  learn(own, true, weight);
  const byContest = program.reliability[rule] ?? [];
  for (let contest = 1; contest < call.contest; contest++) {
    const fewer = byContest[contest];
    if (fewer !== undefined && fewer !== own) learn(fewer, true, weight * weightAmongFewer);
  }
}

const weightAmongFewer = 0.5;

function fade(course: Course): void {
  course.total /= 2;
  for (const [done, n] of course.counts) {
    if (n < 2) course.counts.delete(done);
    else course.counts.set(done, n / 2);
  }
}

const provenFrom = 8;

/** What is done for so many of a kind is no accident: accidents are of many sorts. */
const regularFrom = 0.08;

/** Where all sorts of things are done, wrong ones may look right. */
const weightRight = 0.5;
const usualFrom = 0.5;
const coursesMax = 256;
const fadeFrom = 512;
