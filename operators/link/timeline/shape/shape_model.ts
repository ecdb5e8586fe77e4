// SPDX-License-Identifier: Apache-2.0
// The learned shape of one service: what a request calls, in which order, and after which gaps.
//
// A request is a path: it starts, sends calls one after the other or at once, and ends. Each step
// costs the more the rarer it is at this point and the more unusual its moment is, as seen from
// whichever of three moments explains such steps best: the start of the request, the start of the
// call before, or the latest end of a call. All costs are minus the logarithm of a likelihood.

import { callCounts } from "./call_counts.ts";
import { nextCall } from "./next_call.ts";
import { type Overtaking, overtaking, type Queue } from "./overtaking.ts";
import type { Path } from "./path.ts";
import { type ProgressTable, progressTable } from "./progress.ts";
import { type Mode, modes, startSteps, type Steps, type StepTaken } from "./steps.ts";

export interface ShapeModel {
  readonly callees: number;
  readonly progress: ProgressTable;
  readonly overtaking: Overtaking;
  /** Whether the request will probably call this callee, now or later. */
  readonly waits: (path: Path, callee: number) => boolean;
  readonly callCost: (path: Path, callee: number, startUs: number) => number;
  /** What it costs that the request ends then, without any further call; 0 while it is open. */
  readonly endCost: (path: Path) => number;
  /**
   * That this path was taken, if it has ended; `by` explains what its steps were measured from.
   */
  readonly learn: (path: Path, weight: number, by: ShapeModel) => void;
  readonly steps: Steps;
}

/**
 * A model that has learned nothing yet: small gaps are likely, all else is equal.
 * `resolutionUs` is the unit in which times were measured; `usual` tells how many calls to each
 * callee a request makes as a rule, NaN where there is none.
 */
export function shapeModel(
  callees: number,
  resolutionUs: number,
  queue: Queue = "none",
  progress: ProgressTable = progressTable(callees),
  usual: readonly number[] = [],
): ShapeModel {
  const next = nextCall(callees);
  const totals = callCounts();
  const steps = startSteps(callees, resolutionUs);
  const overlaps = overlapShares(callees);
  const endOf = (path: Path): StepTaken => ({
    path,
    callee: callees,
    mode: modes.ending,
    atUs: path.endUs,
  });
  return {
    callees,
    progress,
    steps,
    overtaking: overtaking(callees, queue),
    waits: ({ kind, progress }, callee) =>
      totals.moreLikely(kind, callee, progress.counts[callee] ?? 0) > 0.5,
    callCost(path, callee, startUs) {
      const mode = modeAt(path, startUs);
      return next.cost(path.kind, path.progress, callee) +
        (path.call < 0 ? 0 : overlaps.cost(callee, mode)) +
        ((path.progress.counts[callee] ?? 0) >= (usual[callee] ?? NaN) ? unusualCost : 0) +
        steps.cost({ path, callee, mode, atUs: startUs });
    },
    endCost(path) {
      if (path.endUs === Infinity) return 0;
      let missing = 0;
      for (const [callee, count] of usual.entries()) {
        missing += Math.max(0, count - (path.progress.counts[callee] ?? 0)) || 0;
      }
      return next.cost(path.kind, path.progress, callees) + steps.cost(endOf(path)) +
        missing * unusualCost;
    },
    learn(path, weight, by) {
      if (path.endUs === Infinity) return;
      next.learn(path.kind, path.progress, callees, weight);
      totals.learn(path.kind, path.progress.counts, weight);
      steps.learn(endOf(path), weight, by.steps);
      for (let at = path; at.before !== null; at = at.before) {
        const { before, callee, lastStartUs } = at;
        const mode = modeAt(before, lastStartUs);
        next.learn(before.kind, before.progress, callee, weight);
        if (before.call >= 0) overlaps.learn(callee, mode, weight);
        steps.learn({ path: before, callee, mode, atUs: lastStartUs }, weight, by.steps);
      }
    },
  };
}

/** Of a call too many or too few, before anything was learned. */
const unusualCost = 4;

function modeAt(path: Path, startUs: number): Mode {
  return startUs < path.lastEndUs ? modes.overlapping : modes.sequential;
}

/** How often calls to each callee are sent while other calls of the request run. */
function overlapShares(callees: number) {
  const seen = new Float64Array(2 * callees).fill(0.5);
  return {
    learn(callee: number, mode: Mode, weight: number): void {
      seen[2 * callee + mode] = (seen[2 * callee + mode] ?? 0) + weight;
    },
    cost(callee: number, mode: Mode): number {
      const here = seen[2 * callee + mode] ?? 1;
      const other = seen[2 * callee + 1 - mode] ?? 1;
      return -Math.log(here / (here + other));
    },
  };
}
