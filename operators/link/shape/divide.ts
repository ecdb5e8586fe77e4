// SPDX-License-Identifier: Apache-2.0
// Divides calls between two requests anew: goes through all that happened for them in order, and
// for every call that was sent tries each of them, or nobody, keeping the likeliest divisions only.

import { ANSWER } from "../consequences.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import {
  type Contested,
  contestedBy,
  type Event,
  eventsOf,
  type Pair,
  type Side,
} from "./contested.ts";
import { type Flow, stepCost } from "./flow.ts";
import { isInOrder, orderCost } from "./line.ts";
import { nobodysCost } from "./owner.ts";
import { afterCall, afterResponse, beginStory, callCost, type Chapter, nextStep } from "./story.ts";

export interface Division {
  readonly cost: number;
  readonly owners: readonly (Side | null)[];
}

export interface Divided {
  /** By the time of sending. */
  readonly calls: readonly Call[];
  /** The likeliest first. */
  readonly divisions: readonly Division[];
  /** As things are. */
  readonly current: Division;
}

/** A division of the calls so far: whose the last one is, and what was said of those before. */
interface Path {
  cost: number;
  readonly owner: Side | null;
  /** When what the last call follows from was read. */
  readonly causeNs: number;
  readonly before: Path | null;
  /** How far the two requests have come. */
  readonly chapters: [Chapter, Chapter];
  /** It is as things are. */
  readonly isCurrent: boolean;
}

/** To go on with a path by giving the next call to somebody. */
interface Way {
  readonly path: Path;
  readonly owner: Side | null;
  readonly cost: number;
}

/** Divisions kept on the way. */
const beamMax = 8;

/** One that costs so much more than the best is not kept. */
const costMargin = 22;

const callsMax = 40;

/** Null if there is nothing to divide, or too much. */
export function divide(work: Work, rival: Work, program: ProgramState): Divided | null {
  const pair: Pair = [work, rival];
  const calls = contestedBy(pair, callsMax, program);
  if (calls === null) return null;
  let current = beginPath(pair);
  let beam: Path[] = [current];
  let count = 0;
  for (const event of eventsOf(pair, calls)) {
    if (event.what === "sent") {
      const call = calls[event.index];
      if (call === undefined) break;
      const ways = likeliestWays(beam, call, count, program.flow);
      const as = current;
      const isKept = ways.some(({ path, owner }) => path === as && owner === call.now);
      beam = ways.map((way) => goOn(way, call));
      current = isKept
        ? beam.find(({ isCurrent }) => isCurrent) ?? current
        : goOn(wayOf(current, call.now, call, count, program.flow), call);
      count++;
      continue;
    }
    const told = beam.includes(current) ? beam : [...beam, current];
    for (const path of told) {
      if (event.what === "heard") hear(path, event, calls, count);
      else answer(path, event, pair, program.flow);
    }
    if (event.what === "answered") beam = likeliest(beam);
  }
  return {
    calls: calls.map(({ call }) => call),
    divisions: likeliest(beam).map(divisionOf),
    current: divisionOf(current),
  };
}

const beginPath = ([work, rival]: Pair): Path => ({
  cost: 0,
  owner: null,
  causeNs: NaN,
  before: null,
  chapters: [beginStory(work), beginStory(rival)],
  isCurrent: true,
});

function divisionOf(last: Path): Division {
  const owners: (Side | null)[] = [];
  for (let path = last; path.before !== null; path = path.before) owners.push(path.owner);
  return { cost: last.cost, owners: owners.reverse() };
}

function likeliest(paths: Path[]): Path[] {
  paths.sort((a, b) => a.cost - b.cost);
  const most = (paths[0]?.cost ?? 0) + costMargin;
  return paths.filter(({ cost }, i) => i === 0 || cost < most);
}

/** In order; what is dearer than those already found may be is not looked at closely. */
function likeliestWays(beam: readonly Path[], call: Contested, count: number, flow: Flow): Way[] {
  const ways: Way[] = [];
  let most = Infinity;
  for (const path of beam) {
    for (const owner of sides) {
      if (!mayBe(call, owner) || path.cost + leastCost(owner, call) >= most) continue;
      const way = wayOf(path, owner, call, count, flow);
      if (way.cost >= most) continue;
      let at = ways.length;
      while (at > 0 && (ways[at - 1]?.cost ?? 0) > way.cost) at--;
      ways.splice(at, 0, way);
      if (ways.length > beamMax) ways.pop();
      const last = ways.length < beamMax ? Infinity : ways[beamMax - 1]?.cost ?? Infinity;
      most = Math.min(last, (ways[0]?.cost ?? 0) + costMargin);
    }
  }
  return ways.filter(({ cost }, i) => i === 0 || cost < (ways[0]?.cost ?? 0) + costMargin);
}

const sides = [null, 0, 1] as const;

const mayBe = ({ call, now, may }: Contested, owner: Side | null): boolean =>
  owner === null ? !call.isFixed || now === null : may[owner];

const leastCost = (owner: Side | null, { costs }: Contested): number =>
  owner === null ? nobodysCost : costs[owner];

function wayOf(
  path: Path,
  owner: Side | null,
  contested: Contested,
  count: number,
  flow: Flow,
): Way {
  if (owner === null) return { path, owner, cost: path.cost + nobodysCost };
  const { call, costs } = contested;
  const chapter = path.chapters[owner];
  let cost = path.cost + costs[owner];
  cost += callCost(chapter, call, flow);
  cost += inLineCost(contested, owner, chapter.heardNs, path, count);
  return { path, owner, cost };
}

/** Whether it keeps to the order of sending: towards the call before, and one after of others. */
function inLineCost(
  { call, line, beforeAt, beforeNs, afterNs }: Contested,
  owner: Side,
  causeNs: number,
  path: Path,
  count: number,
): number {
  let cost = 0;
  const earlier = beforeAt >= 0 && beforeAt < count ? pathAt(path, count - 1 - beforeAt) : null;
  const isOther = earlier !== null && earlier.owner !== null && earlier.owner !== owner;
  const earlierNs = isOther ? earlier.causeNs : beforeNs;
  if (!Number.isNaN(earlierNs)) {
    const before = line.calls[call.place - line.first - 1];
    const inOrder = before === undefined ? null : isInOrder(before, earlierNs, causeNs);
    if (inOrder !== null) cost += orderCost(line, inOrder);
  }
  if (!Number.isNaN(afterNs)) {
    const inOrder = isInOrder(call, causeNs, afterNs);
    if (inOrder !== null) cost += orderCost(line, inOrder);
  }
  return cost;
}

function goOn({ path, owner, cost }: Way, { call, now }: Contested): Path {
  const [first, second] = path.chapters;
  return {
    cost,
    owner,
    causeNs: owner === null ? NaN : path.chapters[owner].heardNs,
    before: path,
    chapters: [
      owner === 0 ? afterCall(first, call) : first,
      owner === 1 ? afterCall(second, call) : second,
    ],
    isCurrent: path.isCurrent && owner === now,
  };
}

/** The path as it was so many calls ago. */
function pathAt(path: Path, callsAgo: number): Path | null {
  let at: Path | null = path;
  for (let left = callsAgo; left > 0 && at !== null; left--) at = at.before;
  return at;
}

/** A response was read. Only paths that are gone on with know how far the requests have come. */
function hear(path: Path, { index }: Event, calls: readonly Contested[], count: number): void {
  const owner = pathAt(path, count - 1 - index)?.owner ?? null;
  const call = calls[index]?.call;
  if (owner === null || call === undefined) return;
  path.chapters[owner] = afterResponse(path.chapters[owner], call);
}

function answer(path: Path, { index, atNs }: Event, pair: Pair, flow: Flow): void {
  const side: Side = index === 0 ? 0 : 1;
  const thread = pair[side].answerThread;
  if (thread === null) return;
  path.cost += stepCost(nextStep(path.chapters[side], ANSWER, atNs, thread), flow);
}
