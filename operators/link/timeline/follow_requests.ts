// SPDX-License-Identifier: Apache-2.0
// Follows all requests of a service through time and keeps the most likely ways in which the calls
// may belong to them: at each call every way branches, at each end of a request all are judged.

import { type Contest, contestOf } from "./overtaking.ts";
import { type Path, type ShapeCall, type ShapeRequest, startPath } from "./path.ts";
import type { ShapeModel } from "./shape_model.ts";

export interface FollowOptions {
  /** Ways kept at most. */
  readonly waysMax: number;
  /** What it costs to give a call to no request, by callee. */
  readonly orphanCosts: Float64Array;
  /** A request has ended with this path on some way, which is as likely as its share tells. */
  readonly onPath?: (path: Path) => void;
  /** So likely a call was sent with others waiting to send such a call. */
  readonly onContest?: (contest: Contest, share: number) => void;
}

/** Ways less likely than the best by more than this factor's logarithm are let go. */
const costMargin = 20;

/** Requests open at once from which a call may choose, the latest. */
const openMax = 256;

/** A call may end so much later than its request, as clocks are read one after the other. */
const overhangUs = 1_000;
const overhangCost = 7;

interface Way {
  cost: number;
  /** Of the open requests, in the order of their starts. */
  readonly paths: Path[];
  /** Of the same requests. */
  readonly contests: (Contest | null)[];
  /** Of those that have ended since all ways agreed. */
  closed: Closed | null;
}

interface Closed {
  readonly path: Path;
  readonly before: Closed | null;
}

/** The most likely way: the path of each request, and what all that costs. */
export interface Followed {
  readonly paths: readonly Path[];
  readonly cost: number;
}

export function followRequests(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  model: ShapeModel,
  options: FollowOptions,
): Followed {
  const found = new Array<Path>(requests.length);
  let ways: Way[] = [{ cost: 0, paths: [], contests: [], closed: null }];
  let total = 0;
  const settle = () => {
    const [best] = ways;
    if (best === undefined) return;
    for (let at = best.closed; at !== null; at = at.before) found[at.path.request] = at.path;
    total += best.cost;
    best.closed = null;
    best.cost = 0;
  };
  const close = (request: number) => {
    ways = closeRequest(ways, request, model, options);
    if (ways.length === 1) settle();
  };
  for (const { what, index } of eventsOf(requests, calls)) {
    if (what === call) {
      const made = calls[index];
      if (made !== undefined) ways = branch(ways, index, made, model, options);
    } else if (what === end) close(index);
    else {
      const request = requests[index];
      const oldest = ways[0]?.paths[0];
      if (request === undefined) continue;
      if (oldest !== undefined && (ways[0]?.paths.length ?? 0) >= openMax) close(oldest.request);
      const path = startPath(index, request, model.progress.first);
      for (const way of ways) {
        way.paths.push(path);
        way.contests.push(null);
      }
    }
  }
  settle();
  return { paths: found, cost: total };
}

const start = 0;
const call = 1;
const end = 2;

/** In the order of time; at the same time starts first and ends last. */
function eventsOf(requests: readonly ShapeRequest[], calls: readonly ShapeCall[]) {
  const events: { atUs: number; what: number; index: number }[] = [];
  for (const [index, { startUs, endUs }] of requests.entries()) {
    events.push({ atUs: startUs, what: start, index });
    events.push({ atUs: Math.max(startUs, endUs), what: end, index });
  }
  for (const [index, { startUs }] of calls.entries()) {
    events.push({ atUs: startUs, what: call, index });
  }
  return events.sort((a, b) =>
    a.atUs === b.atUs ? a.what - b.what || a.index - b.index : a.atUs - b.atUs
  );
}

function branch(
  ways: readonly Way[],
  index: number,
  made: ShapeCall,
  model: ShapeModel,
  { waysMax, orphanCosts }: FollowOptions,
): Way[] {
  const branches: {
    cost: number;
    way: Way;
    slot: number;
    path: Path | null;
    contest: Contest | null;
  }[] = [];
  const orphanCost = orphanCosts[made.callee] ?? 0;
  const { queue } = model.overtaking;
  for (const way of ways) {
    branches.push({ cost: way.cost + orphanCost, way, slot: -1, path: null, contest: null });
    const costs = new Float64Array(way.paths.length).fill(NaN);
    for (const [slot, path] of way.paths.entries()) {
      if (path.endUs + overhangUs < made.endUs) continue;
      const longer = path.longer.get(index) ?? extend(path, index, made, model);
      costs[slot] = longer.cost - path.cost;
    }
    for (const [slot, path] of way.paths.entries()) {
      const longer = path.longer.get(index);
      const added = costs[slot] ?? NaN;
      if (longer === undefined || Number.isNaN(added)) continue;
      const contest = contestOf(way.paths, slot, made, costs, queue);
      const cost = way.cost + added + (contest === null ? 0 : model.overtaking.cost(contest));
      branches.push({ cost, way, slot, path: longer, contest });
    }
  }
  branches.sort((a, b) => a.cost - b.cost);
  const limit = (branches[0]?.cost ?? 0) + costMargin;
  const kept: Way[] = [];
  for (const { cost, way, slot, path, contest } of branches) {
    if (kept.length >= waysMax || cost > limit) break;
    const paths = way.paths.slice();
    const contests = way.contests.slice();
    if (path !== null) paths[slot] = path;
    if (contest !== null) contests[slot] = { ...contest, before: contests[slot] ?? null };
    kept.push({ cost, paths, contests, closed: way.closed });
  }
  return kept;
}

function extend(path: Path, index: number, made: ShapeCall, model: ShapeModel): Path {
  const { callee, startUs, endUs } = made;
  const isLatest = endUs >= path.lastEndUs;
  const longer: Path = {
    ...path,
    call: index,
    callee,
    before: path,
    callEndUs: endUs,
    lastStartUs: startUs,
    lastEndUs: isLatest ? endUs : path.lastEndUs,
    lastEnded: isLatest ? callee : path.lastEnded,
    progress: model.progress.then(path.progress, callee),
    cost: path.cost + model.callCost(path, callee, startUs) +
      (endUs > path.endUs ? overhangCost : 0),
    share: 0,
    longer: new Map(),
  };
  path.longer.set(index, longer);
  return longer;
}

function closeRequest(
  ways: Way[],
  request: number,
  model: ShapeModel,
  { onPath, onContest }: FollowOptions,
): Way[] {
  const slot = ways[0]?.paths.findIndex((path) => path.request === request) ?? -1;
  if (slot < 0) return ways;
  const ended = new Map<Path, number>();
  const contests = new Map<Way, Contest | null>();
  for (const way of ways) {
    const [path] = way.paths.splice(slot, 1);
    const [contest] = way.contests.splice(slot, 1);
    if (path === undefined) continue;
    if (contest) contests.set(way, contest);
    const cost = ended.get(path) ?? model.endCost(path);
    ended.set(path, cost);
    way.cost += cost;
    way.closed = { path, before: way.closed };
  }
  ways.sort((a, b) => a.cost - b.cost);
  const whole = shareOut(ways);
  if (onContest !== undefined) {
    const least = ways[0]?.cost ?? 0;
    for (const [way, last] of contests) {
      const share = Math.exp(least - way.cost) / whole;
      for (let at = last; at !== null; at = at.before) onContest(at, share);
    }
  }
  if (onPath !== undefined) { for (const path of ended.keys()) onPath(path); }
  const limit = (ways[0]?.cost ?? 0) + costMargin;
  return distinct(ways.filter(({ cost }) => cost <= limit));
}

/** Tells the paths that have just ended how likely they are. */
function shareOut(ways: readonly Way[]): number {
  const least = ways[0]?.cost ?? 0;
  let whole = 0;
  for (const { cost, closed } of ways) {
    const likely = Math.exp(least - cost);
    whole += likely;
    if (closed !== null) closed.path.share += likely;
  }
  for (const path of new Set(ways.flatMap(({ closed }) => closed?.path ?? []))) path.share /= whole;
  return whole;
}

/** Of ways that agree in all open requests only the most likely, which comes first. */
function distinct(ways: readonly Way[]): Way[] {
  const kept: Way[] = [];
  for (const way of ways) {
    const isKnown = kept.some((other) => other.paths.every((path, i) => path === way.paths[i]));
    if (!isKnown) kept.push(way);
  }
  return kept;
}
