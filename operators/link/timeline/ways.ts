// SPDX-License-Identifier: Apache-2.0
// The ways in which calls may belong to requests, as far as time has come: each call lets them
// branch, each end of a request judges them, and only the most likely are kept, in that order.

import { type Contest, contestOf } from "./overtaking.ts";
import type { Path, ShapeCall } from "./path.ts";
import type { ShapeModel } from "./shape_model.ts";

export interface Way {
  cost: number;
  /** Of the open requests, in the order of their starts. */
  readonly paths: Path[];
  /** Of the same requests. */
  readonly contests: (Contest | null)[];
  /** Of those that have ended since all ways agreed. */
  closed: Closed | null;
}

export interface Closed {
  readonly path: Path;
  readonly before: Closed | null;
}

/** What becomes of ways as they are judged. */
export interface Judgement {
  /** A request has ended with this path on some way, which is as likely as its share tells. */
  readonly onPath: (path: Path) => void;
  /** So likely a call was sent with others waiting to send such a call. */
  readonly onContest: (contest: Contest, share: number) => void;
}

/** Ways less likely than the best by more than this factor's logarithm are let go. */
const costMargin = 16;

/** A call may end so much later than its request, as clocks are read one after the other. */
const overhangUs = 1_000;
const overhangCost = 7;

interface Branch {
  readonly cost: number;
  readonly way: Way;
  readonly slot: number;
  /** Null where the call belongs to no request. */
  readonly path: Path | null;
  readonly contest: Contest | null;
}

/** Every way with every request that may have sent the call. `ways` are given up. */
export function branch(
  ways: readonly Way[],
  index: number,
  call: ShapeCall,
  model: ShapeModel,
  { waysMax, orphanCost }: { readonly waysMax: number; readonly orphanCost: number },
): Way[] {
  const branches: Branch[] = [];
  let limit = (ways[0]?.cost ?? 0) + orphanCost + costMargin;
  const add = (branch: Branch) => {
    if (!(branch.cost <= limit)) return;
    branches.push(branch);
    limit = Math.min(limit, branch.cost + costMargin);
  };
  for (const way of ways) {
    add({ cost: way.cost + orphanCost, way, slot: -1, path: null, contest: null });
    if (model.overtaking.queue === "none") {
      for (let slot = 0; slot < way.paths.length; slot++) {
        const path = way.paths[slot];
        const longer = path === undefined ? null : extended(path, index, call, model);
        if (path === undefined || longer === null) continue;
        const cost = way.cost + longer.cost - path.cost;
        if (cost <= limit) add({ cost, way, slot, path: longer, contest: null });
      }
    } else for (const each of contested(way, index, call, model)) add(each);
  }
  return grown(branches.filter(({ cost }) => cost <= limit), waysMax);
}

/** Branches of one way where requests queue up. */
function contested(way: Way, index: number, call: ShapeCall, model: ShapeModel): Branch[] {
  const { overtaking } = model;
  const costs = Float64Array.from(way.paths, (path) => {
    const longer = extended(path, index, call, model);
    return longer === null ? NaN : longer.cost - path.cost;
  });
  return way.paths.flatMap((path, slot) => {
    const added = costs[slot] ?? NaN;
    if (Number.isNaN(added)) return [];
    const contest = contestOf(way.paths, slot, call, costs, model);
    const cost = way.cost + added + (contest === null ? 0 : overtaking.cost(contest));
    return { cost, way, slot, path: path.longer, contest };
  });
}

function grown(branches: Branch[], waysMax: number): Way[] {
  const [first] = branches;
  if (first === undefined) return [];
  if (branches.length === 1) return [grow(first, first.way)];
  branches.sort((a, b) => a.cost - b.cost);
  branches.length = Math.min(branches.length, waysMax);
  return branches.map((branch) => {
    const { paths, contests, closed } = branch.way;
    return grow(branch, { cost: 0, paths: paths.slice(), contests: contests.slice(), closed });
  });
}

function grow({ cost, slot, path, contest }: Branch, way: Way): Way {
  way.cost = cost;
  if (path !== null) way.paths[slot] = path;
  if (contest !== null) way.contests[slot] = { ...contest, before: way.contests[slot] ?? null };
  return way;
}

/** The path with one call more; null if the call cannot belong to the request. */
function extended(path: Path, index: number, call: ShapeCall, model: ShapeModel): Path | null {
  const { callee, startUs, endUs } = call;
  if (path.endUs + overhangUs < endUs) return null;
  if (path.longer !== null && path.longer.call === index) return path.longer;
  const isLatest = endUs >= path.lastEndUs;
  const cost = model.callCost(path, callee, startUs) + (endUs > path.endUs ? overhangCost : 0);
  return path.longer = {
    request: path.request,
    kind: path.kind,
    startUs: path.startUs,
    endUs: path.endUs,
    call: index,
    callee,
    before: path,
    callEndUs: endUs,
    lastStartUs: startUs,
    lastEndUs: isLatest ? endUs : path.lastEndUs,
    lastEnded: isLatest ? callee : path.lastEnded,
    progress: model.progress.then(path.progress, callee),
    cost: path.cost + cost,
    share: 0,
    longer: null,
  };
}

/** The request in this slot has ended. `ways` are given up. */
export function closeRequest(
  ways: Way[],
  slot: number,
  model: ShapeModel,
  judgement: Judgement | null,
): Way[] {
  const ended = new Map<Path, number>();
  const contests: (Contest | null)[] = [];
  for (const way of ways) {
    const [path] = way.paths.splice(slot, 1);
    const [contest = null] = way.contests.splice(slot, 1);
    contests.push(contest);
    if (path === undefined) continue;
    const cost = ended.get(path) ?? model.endCost(path);
    ended.set(path, cost);
    way.cost += cost;
    way.closed = { path, before: way.closed };
  }
  const least = ways.reduce((min, { cost }) => Math.min(min, cost), Infinity);
  const likely = ways.map(({ cost }) => Math.exp(least - cost));
  const whole = likely.reduce((sum, each) => sum + each, 0);
  for (const [i, { closed }] of ways.entries()) {
    const share = (likely[i] ?? 0) / whole;
    if (closed !== null) closed.path.share += share;
    for (let at = contests[i] ?? null; at !== null; at = at.before) judgement?.onContest(at, share);
  }
  if (judgement !== null) { for (const path of ended.keys()) judgement.onPath(path); }
  return distinct(ways.filter(({ cost }) => cost <= least + costMargin));
}

/** Of ways that agree in all open requests only the most likely. */
function distinct(ways: Way[]): Way[] {
  ways.sort((a, b) => a.cost - b.cost);
  const kept: Way[] = [];
  for (const way of ways) {
    const isKnown = kept.some((other) => other.paths.every((path, i) => path === way.paths[i]));
    if (!isKnown) kept.push(way);
  }
  return kept;
}
