// SPDX-License-Identifier: Apache-2.0
// The likeliest courses that things may have taken, and what those that are given up leave behind:
// doubt about the calls of which they said otherwise.

import type { Call, Work } from "../program.ts";
import type { Choices } from "./choices.ts";
import type { Choice, Course, Made } from "./place_in_line.ts";

export const coursesMax = 64;
export const costMargin = 12;

/** Below this weight nothing is doubted. */
const weightMin = 1e-4;

/** Costs may come from counts that are not independent: then they count less than in full. */
const weightOf = (more: number, temper: number): number => Math.exp(-temper * more);

/** The choices that are kept, the likeliest first. */
export function likeliestChoices({ all, least }: Choices, call: Call, temper: number): Choice[] {
  const limit = limitOf(all, least);
  const kept: Choice[] = [];
  const left: Choice[] = [];
  for (const choice of all) (choice.cost <= limit ? kept : left).push(choice);
  kept.sort((a, b) => a.cost - b.cost);
  left.push(...kept.splice(coursesMax));
  const [best] = kept;
  if (best === undefined) return kept;
  const worse: Made[] = [];
  for (const { cost, course, place } of left) {
    const weight = weightOf(cost - least, temper);
    if (weight < weightMin) continue;
    if (place?.work !== best.place?.work) call.doubted += weight;
    addWeight(course.made, weight, worse);
  }
  castDoubts(worse, best.course.made);
  return kept;
}

/** What a choice that is kept costs at most, or somewhat more: sorting all would take longer. */
function limitOf(choices: readonly Choice[], least: number): number {
  if (choices.length <= coursesMax) return least + costMargin;
  counts.fill(0);
  for (const { cost } of choices) {
    const step = Math.floor((cost - least) * stepsPerCost);
    if (step < counts.length) counts[step] = (counts[step] ?? 0) + 1;
  }
  let count = 0;
  for (let step = 0; step < counts.length; step++) {
    count += counts[step] ?? 0;
    if (count >= coursesMax) return Math.min(least + costMargin, least + (step + 1) / stepsPerCost);
  }
  return least + costMargin;
}

const stepsPerCost = 16;
const counts = new Uint16Array(costMargin * stepsPerCost);

/** The likeliest first, costs from 0 on; those that go on alike are one from now on. */
export function settled(courses: readonly Course[], temper: number): Course[] {
  const byHash = new Map<number, Course>();
  for (const course of courses) {
    const other = byHash.get(course.hash);
    if (other === undefined) {
      byHash.set(course.hash, course);
      continue;
    }
    const [better, worse] = other.cost <= course.cost ? [other, course] : [course, other];
    byHash.set(course.hash, better);
    castDoubt(worse.made, better.made, weightOf(worse.cost - better.cost, temper));
  }
  const kept = [...byHash.values()].sort((a, b) => a.cost - b.cost);
  const least = kept[0]?.cost ?? 0;
  const likely = kept.filter(({ cost }) => cost <= least + costMargin);
  return least === 0 ? likely : likely.map((course) => ({ ...course, cost: course.cost - least }));
}

/** What lies too far back to be looked at is let go of. */
export function forgetPast(courses: readonly Course[]): void {
  for (const { made } of courses) {
    let each = made;
    for (let left = lookedBackMax; left > 0 && each !== null; left--) each = each.before;
    if (each !== null) each.before = null;
  }
}

function addWeight(made: Made | null, weight: number, to: Made[]): void {
  if (made === null || weight === 0) return;
  if (made.weight === 0) to.push(made);
  made.weight += weight;
}

/** One step back, of courses that are equally long: those that share their past go on as one. */
function stepBack(level: readonly Made[]): Made[] {
  const before: Made[] = [];
  for (const made of level) {
    const { weight } = made;
    made.weight = 0;
    addWeight(made.before, weight, before);
  }
  return before;
}

/** Of what several say differently about the past than the best one. */
function castDoubts(worse: readonly Made[], better: Made | null): void {
  let level = worse;
  let best = better;
  for (let left = lookedBackMax; level.length > 0; left--) {
    const differing: Made[] = [];
    for (const made of level) {
      if (made === best || best === null || left <= 0) {
        made.weight = 0;
        continue;
      }
      if (made.work !== best.work) made.call.doubted += made.weight;
      differing.push(made);
    }
    level = stepBack(differing);
    best = best?.before ?? null;
  }
}

/** Of what the two say differently about the past. */
function castDoubt(worse: Made | null, better: Made | null, weight: number): void {
  let [a, b] = [worse, better];
  for (let left = lookedBackMax; left > 0 && a !== b && a !== null && b !== null; left--) {
    if (a.work !== b.work) a.call.doubted += weight;
    [a, b] = [a.before, b.before];
  }
}

/** Calls of a program that are looked back at. */
const lookedBackMax = 1_024;

/** Probability that the call was made for the request; 0 if it is not remembered. */
export function certaintyOf(
  call: Call,
  work: Work | null,
  courses: readonly Course[],
  temper: number,
): number {
  let total = call.doubted;
  let agreeing = 0;
  let level: Made[] = [];
  for (const { cost, made } of courses) {
    const weight = weightOf(cost, temper);
    total += weight;
    addWeight(made, weight, level);
  }
  for (let left = lookedBackMax; left > 0 && level.length > 0; left--) {
    if (level[0]?.call === call) {
      for (const made of level) if (made.work === work) agreeing += made.weight;
      break;
    }
    level = stepBack(level);
  }
  for (const made of level) made.weight = 0;
  return agreeing / total;
}

/** By course, whether the call was made for the request. */
export function ownersOf(call: Call, courses: readonly Course[], work: Work): boolean[] {
  const known = new Map<Made, boolean>();
  return courses.map(({ made }) => isOwner(call, work, made, known));
}

/** Courses share their past: what is known of one part of it is not looked for again. */
function isOwner(
  call: Call,
  work: Work | null,
  made: Made | null,
  known: Map<Made, boolean>,
): boolean {
  let result = false;
  let steps = 0;
  let each = made;
  for (; each !== null && steps < lookedBackMax; each = each.before, steps++) {
    const seen = known.get(each);
    if (seen !== undefined || each.call === call) {
      result = seen ?? each.work === work;
      break;
    }
  }
  for (let again = made; again !== null && again !== each; again = again.before) {
    known.set(again, result);
  }
  return result;
}

export function ownerIn({ made }: Course, call: Call): Work | null {
  let left = lookedBackMax;
  for (let each = made; each !== null && left-- > 0; each = each.before) {
    if (each.call === call) return each.work;
  }
  return null;
}

/** Something has shown that the course is wrong about requests that are open, or were just now. */
export function suspect({ made }: Course): void {
  let left = suspectsMax;
  for (let each = made; each !== null && left-- > 0; each = each.before) each.call.isSuspect = true;
}

const suspectsMax = 48;

/** Who made the calls of a request, by a course, in order. */
export function madeFor(work: Work, { made }: Course): Made[] {
  const found: Made[] = [];
  let left = lookedBackMax;
  for (let each = made; each !== null && left-- > 0; each = each.before) {
    if (each.call.sentNs < work.readNs) break;
    if (each.work === work) found.push(each);
  }
  return found.reverse();
}
