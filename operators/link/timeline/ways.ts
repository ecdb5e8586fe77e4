// SPDX-License-Identifier: Apache-2.0
// The ways in which calls may belong to requests, as far as time has come: each call lets them
// branch, each end of a request judges them, and only the most likely are kept, in that order.

import { ended, type History, met } from "./history.ts";
import { type Contest, contestOf } from "./shape/overtaking.ts";
import type { Path, ShapeCall } from "./shape/path.ts";
import type { ShapeModel } from "./shape/shape_model.ts";

export interface Way {
  cost: number;
  /** The same, of all ways that have met in this one together. */
  costOfAll: number;
  /** Of the open requests, in the order of their starts. */
  readonly paths: Path[];
  /** Of the same requests. */
  readonly contests: (Contest | null)[];
  /** Of those that have ended since all ways met. */
  history: History | null;
}

/** Ways times open requests that one call looks at, at most (but for two ways, always). */
const branchesMax = 1_024;

/** Ways less likely than the best by more than this factor's logarithm are let go. */
const costMargin = 16;

/** A call may end so much later than its request, as clocks are read one after the other. */
const overhangUs = 1_000;
const overhangCost = 7;

/** By so much a queue may make a call likelier than gaps do. */
const queueGainMax = 14;

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
    } else for (const each of contested(way, index, call, model, limit)) add(each);
  }
  const open = ways[0]?.paths.length ?? 0;
  const most = Math.max(2, Math.min(waysMax, Math.floor(branchesMax / Math.max(1, open))));
  return grown(branches.filter(({ cost }) => cost <= limit), most);
}

/** Branches of one way where requests queue up. */
function contested(
  way: Way,
  index: number,
  call: ShapeCall,
  model: ShapeModel,
  limit: number,
): Branch[] {
  const { overtaking } = model;
  const costs = Float64Array.from(way.paths, (path) => {
    const longer = extended(path, index, call, model);
    return longer === null ? NaN : longer.cost - path.cost;
  });
  return way.paths.flatMap((path, slot) => {
    const added = costs[slot] ?? NaN;
    if (!(way.cost + added <= limit + queueGainMax)) return [];
    const contest = contestOf(way.paths, slot, call, costs, overtaking.queue, model.waits);
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
    const { paths, contests, ...rest } = branch.way;
    return grow(branch, { ...rest, paths: paths.slice(), contests: contests.slice() });
  });
}

function grow({ cost, slot, path, contest }: Branch, way: Way): Way {
  way.costOfAll += cost - way.cost;
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
export function closeRequest(ways: readonly Way[], slot: number, model: ShapeModel): Way[] {
  const costs = new Map<Path, number>();
  for (const way of ways) {
    const [path] = way.paths.splice(slot, 1);
    const [contest = null] = way.contests.splice(slot, 1);
    if (path === undefined) continue;
    const cost = costs.get(path) ?? model.endCost(path);
    costs.set(path, cost);
    way.cost += cost;
    way.costOfAll += cost;
    way.history = ended(path, contest, way.history);
  }
  const sorted = ways.toSorted((a, b) => a.cost - b.cost);
  const limit = (sorted[0]?.cost ?? 0) + costMargin;
  const groups: Way[][] = [];
  for (const way of sorted) {
    if (way.cost > limit) break;
    const group = groups.find(([other]) => other !== undefined && agree(way, other));
    if (group === undefined) groups.push([way]);
    else group.push(way);
  }
  return groups.flatMap(meet);
}

/** Whether two ways have the same future. */
function agree(a: Way, b: Way): boolean {
  return a.paths.every((path, i) => path === b.paths[i]);
}

/** The best of them goes on for all. */
function meet(group: readonly Way[]): Way[] {
  const [best] = group;
  if (best === undefined || group.length === 1) return [...group];
  best.history = met(group.map(({ history, costOfAll }) => [history, costOfAll]));
  const least = group.reduce((min, { costOfAll }) => Math.min(min, costOfAll), Infinity);
  const whole = group.reduce((sum, { costOfAll }) => sum + Math.exp(least - costOfAll), 0);
  best.costOfAll = least - Math.log(whole);
  return [best];
}
