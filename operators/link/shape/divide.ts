// SPDX-License-Identifier: Apache-2.0
// Divides calls between a few requests anew: goes through all that happened for them in order, and
// for every call that was sent tries each of them, or nobody, keeping the likeliest divisions only.

import { ANSWER } from "../consequences.ts";
import { encloses } from "../evidence/nesting.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import { stepCost } from "./flow.ts";
import { isInOrder, lineOf, neighbour, orderCost } from "./line.ts";
import { isBefore, nobodysCost, outsideCost, type Owner, ruleCost } from "./owner.ts";
import { afterCall, afterResponse, beginStory, type Chapter, nextStep } from "./story.ts";
import { causeNs } from "./story.ts";

/** Index into the works; -1 is nobody. */
export interface Division {
  readonly cost: number;
  readonly owners: readonly number[];
}

interface Partial extends Division {
  readonly chapters: readonly Chapter[];
  /** When what each call follows from was read. */
  readonly causes: readonly number[];
}

export interface Divided {
  /** By the time of sending. */
  readonly calls: readonly Call[];
  /** The likeliest first. */
  readonly divisions: readonly Division[];
  /** As things are. */
  readonly current: Division;
}

/** Divisions kept on the way. */
const beamMax = 8;

/** One that costs so much more than the best is not kept. */
const costMargin = 22;

const callsMax = 40;

/** Null if there is nothing to divide, or too much. */
export function divide(works: readonly Work[], program: ProgramState): Divided | null {
  const calls = callsOf(works, program);
  if (calls.length === 0 || calls.length > callsMax) return null;
  const events = eventsOf(works, calls);
  const ownersNow = calls.map(({ placed }) => placed === null ? -1 : works.indexOf(placed));
  const begin: Partial = { cost: 0, owners: [], causes: [], chapters: works.map(beginStory) };
  let beam: Partial[] = [begin];
  let current = begin;
  for (const event of events) {
    if (event.what !== "sent") {
      beam = beam.map((each) => go(each, event, works, calls, program));
      current = go(current, event, works, calls, program);
      if (event.what === "answered") beam = likeliest(beam);
      continue;
    }
    const call = calls[event.index];
    if (call === undefined) continue;
    const next: Partial[] = [];
    for (const each of beam) {
      for (let owner = call.isFixed ? 0 : -1; owner < works.length; owner++) {
        if (call.isFixed && owner !== ownersNow[event.index]) continue;
        const work = works[owner];
        if (work !== undefined && !isBefore(work, call)) continue;
        next.push(give(each, call, owner, works, calls, program));
      }
    }
    beam = likeliest(next);
    current = give(current, call, ownersNow[event.index] ?? -1, works, calls, program);
  }
  return { calls, divisions: likeliest(beam), current };
}

function likeliest(partials: Partial[]): Partial[] {
  partials.sort((a, b) => a.cost - b.cost);
  const most = (partials[0]?.cost ?? 0) + costMargin;
  let count = 1;
  while (count < partials.length && count < beamMax && (partials[count]?.cost ?? 0) < most) count++;
  partials.length = Math.min(partials.length, count);
  return partials;
}

/** Calls of the works, and those of nobody that were sent meanwhile. */
function callsOf(works: readonly Work[], { strays }: ProgramState): Call[] {
  const calls = works.flatMap(({ story }) => story);
  for (const call of strays) {
    if (works.some((work) => encloses(work, call))) calls.push(call);
  }
  return calls.sort((a, b) => a.sentNs - b.sentNs || a.orderBefore - b.orderBefore);
}

interface Event {
  readonly what: "heard" | "sent" | "answered";
  readonly atNs: number;
  /** Of the call, or of the work. */
  readonly index: number;
}

function eventsOf(works: readonly Work[], calls: readonly Call[]): Event[] {
  const events: Event[] = [];
  for (const [index, { sentNs, doneNs }] of calls.entries()) {
    events.push({ what: "sent", atNs: sentNs, index });
    if (doneNs !== Infinity) events.push({ what: "heard", atNs: doneNs, index });
  }
  for (const [index, { answerNs }] of works.entries()) {
    if (answerNs !== Infinity) events.push({ what: "answered", atNs: answerNs, index });
  }
  return events.sort((a, b) => a.atNs - b.atNs || order[a.what] - order[b.what]);
}

const order = { heard: 0, sent: 1, answered: 2 } as const;

function go(
  partial: Partial,
  { what, index, atNs }: Event,
  works: readonly Work[],
  calls: readonly Call[],
  { flow }: ProgramState,
): Partial {
  if (what === "heard") {
    const owner = partial.owners[index] ?? -1;
    const call = calls[index];
    const chapter = partial.chapters[owner];
    if (chapter === undefined || call === undefined) return partial;
    return { ...partial, chapters: partial.chapters.with(owner, afterResponse(chapter, call)) };
  }
  const chapter = partial.chapters[index];
  const thread = works[index]?.answerThread ?? null;
  if (chapter === undefined || thread === null) return partial;
  const cost = partial.cost + stepCost(nextStep(chapter, ANSWER, atNs, thread), flow);
  return { ...partial, cost };
}

function give(
  partial: Partial,
  call: Call,
  owner: number,
  works: readonly Work[],
  calls: readonly Call[],
  program: ProgramState,
): Partial {
  const { chapters, owners, causes } = partial;
  const work = works[owner] ?? null;
  const chapter = chapters[owner];
  if (work === null || chapter === undefined) {
    return {
      cost: partial.cost + nobodysCost,
      owners: [...owners, -1],
      causes: [...causes, NaN],
      chapters,
    };
  }
  let cost = partial.cost + ruleCost(call, work);
  cost += stepCost(nextStep(chapter, call.kind, call.sentNs, call.thread), program.flow);
  if (!encloses(work, call)) cost += outsideCost;
  cost += inLineCost(call, owner, chapter.heardNs, partial, works, calls, program);
  return {
    cost,
    owners: [...owners, owner],
    causes: [...causes, chapter.heardNs],
    chapters: chapters.with(owner, afterCall(chapter, call)),
  };
}

/** Whether it keeps to the order of sending: towards the call before, and one after of others. */
function inLineCost(
  call: Call,
  owner: number,
  causeOfCallNs: number,
  { owners, causes }: Partial,
  works: readonly Work[],
  calls: readonly Call[],
  { lines }: ProgramState,
): number {
  const line = lineOf(call, lines);
  let cost = 0;
  for (const offset of [-1, 1]) {
    const other = neighbour(call, offset, line);
    if (other === undefined) continue;
    const at = calls.indexOf(other);
    if (at >= 0 && (offset > 0 || owners[at] === owner)) continue;
    const otherOwner: Owner = at >= 0 ? works[owners[at] ?? -1] ?? null : other.placed;
    if (otherOwner === null) continue;
    const ns = at >= 0 ? causes[at] ?? NaN : causeNs(other, otherOwner, otherOwner.story);
    const inOrder = offset < 0
      ? isInOrder(other, ns, causeOfCallNs)
      : isInOrder(call, causeOfCallNs, ns);
    if (inOrder !== null) cost += orderCost(line, inOrder);
  }
  return cost;
}
