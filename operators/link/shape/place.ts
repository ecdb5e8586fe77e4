// SPDX-License-Identifier: Apache-2.0
// Gives a call, when it is sent, to the request whose story it goes on best; and learns from
// stories that are known.

import { enclosing } from "../evidence/nesting.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import { learnRepertoire } from "../trust/repertoire.ts";
import { isOdd, learnStep, noteOddity, stepCost } from "./flow.ts";
import { isInOrder, learnOrder, lineOf, neighbour, orderCost } from "./line.ts";
import { mayHold, nobodysCost, own, type Owner, ruleCost, stray } from "./owner.ts";
import { causeNs, chapterAt, nextStep, tellStory } from "./story.ts";

/** The parent is known: nothing moves the call from there. */
export function fix(call: Call, work: Owner, program: ProgramState): void {
  call.isFixed = true;
  own(call, work, program);
}

/** The request that the call fits best as things stand. */
export function place(call: Call, program: ProgramState): void {
  let best: Owner = null;
  let least = nobodysCost;
  for (const work of likelyOwners(call, program)) {
    const cost = additionCost(call, work, program);
    if (cost < least) [best, least] = [work, cost];
  }
  own(call, best, program);
  if (best === null) stray(call, program);
}

/** What the call costs as the next thing that was done for the request. */
export function additionCost(call: Call, work: Work, program: ProgramState): number {
  const chapter = chapterAt(work, call.sentNs);
  const step = nextStep(chapter, call.kind, call.sentNs, call.thread);
  const cost = stepCost(step, program.flow) + ruleCost(call, work);
  const line = lineOf(call, program.lines);
  const before = neighbour(call, -1, line);
  if (before === undefined || before.placed === null || before.placed === work) return cost;
  const beforeNs = causeNs(before, before.placed, before.placed.story);
  const inOrder = isInOrder(before, beforeNs, chapter.heardNs);
  return inOrder === null ? cost : cost + orderCost(line, inOrder);
}

/** Open works: the latest and the oldest ones. */
function likelyOwners(call: Call, program: ProgramState): Set<Work> {
  const owners = new Set<Work>();
  for (const work of enclosing(call, program, latestMax).works) {
    if (mayHold(work, call)) owners.add(work);
  }
  let left = call.openBefore > latestMax ? oldestMax : 0;
  const { works, firstOrder } = program;
  for (let order = call.oldestBefore; order < call.orderBefore && left > 0; order++) {
    const work = works[order - firstOrder];
    if (work === undefined || work.endNs !== Infinity) continue;
    left--;
    if (mayHold(work, call)) owners.add(work);
  }
  return owners;
}

const latestMax = 12;
const oldestMax = 24;

/** The story of an ended request is known: it is noted whether it is an odd one. */
export function noteStory(work: Work, { flow }: ProgramState): void {
  if (work.crowd === 0) return;
  let hasOddStep = false;
  tellStory(work, (step) => hasOddStep ||= isOdd(step, flow));
  noteOddity(hasOddStep, work.crowd, flow);
}

/** All calls of an ended request are decided: what it did is learned, as far as that is sure. */
export function learnPlaced(work: Work, program: ProgramState): void {
  if (work.readNs <= program.crowdedNs) return;
  const { flow } = program;
  let weight = 1;
  for (const call of work.story) weight *= call.decision?.confidence ?? 0;
  if (weight < weightMin) return;
  tellStory(work, (step) => learnStep(step, weight, flow));
  if (weight >= repertoireFrom) learnRepertoire(work, program.repertoire);
  for (const call of work.story) learnPlace(call, work, weight, program);
}

const weightMin = 0.05;
const repertoireFrom = 0.8;

function learnPlace(call: Call, work: Work, weight: number, program: ProgramState): void {
  const line = lineOf(call, program.lines);
  const before = neighbour(call, -1, line);
  if (before === undefined || before.placed === null || before.placed === work) return;
  const inOrder = isInOrder(
    before,
    causeNs(before, before.placed, before.placed.story),
    causeNs(call, work, work.story),
  );
  if (inOrder !== null) learnOrder(line, inOrder, weight);
}
