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
import { endOfLatestBy, type Path } from "./path.ts";
import { startStep, type Step } from "./step.ts";
import { type ProgressTable, progressTable } from "./progress.ts";

export interface ShapeModel {
  readonly callees: number;
  readonly progress: ProgressTable;
  readonly overtaking: Overtaking;
  /** Whether the request will probably call this callee, now or later. */
  readonly waits: (path: Path, callee: number) => boolean;
  readonly callCost: (path: Path, callee: number, startUs: number) => number;
  /** What it costs that the request ends when it does, without any further call. */
  readonly endCost: (path: Path) => number;
  /** That this path was taken; `by` explains which moments its steps were measured from. */
  readonly learn: (path: Path, weight: number, by: ShapeModel) => void;
  /** Fills in what the three moments contribute to the density of a step. */
  readonly explain: (step: StepTaken, contributions: Float64Array) => void;
}

/** A step: the next call, or the end (whose callee is the number of callees). */
export interface StepTaken {
  readonly path: Path;
  readonly callee: number;
  readonly mode: number;
  readonly atUs: number;
}

/** Nothing else of the request ran; something did; the request ends. */
const modes = { sequential: 0, overlapping: 1, ending: 2 } as const;
const modesCount = 3;

/**
 * A model that has learned nothing yet: small gaps are likely, all else is equal.
 * `resolutionUs` is the unit in which times were measured.
 */
export function shapeModel(
  callees: number,
  resolutionUs: number,
  queue: Queue = "none",
  progress: ProgressTable = progressTable(callees),
): ShapeModel {
  const next = nextCall(callees);
  const totals = callCounts();
  const steps = new Map<number, Step>();
  /** Of each callee: calls sent while no other call of the request ran, and while one did. */
  const overlaps = new Float64Array(2 * callees).fill(0.5);
  const width = callees + 2;
  const anything = callees + 1;

  const keyOf = (kind: number, mode: number, before: number, callee: number) =>
    ((kind * modesCount + mode) * width + before) * width + callee;
  const unknownStep = startStep(resolutionUs, null);

  /** Steps of a kind of request are judged by all kinds, these by whatever came before. */
  function step(kind: number, mode: number, before: number, callee: number): Step {
    const key = keyOf(kind, mode, before, callee);
    const found = steps.get(key);
    if (found !== undefined) return found;
    let general: Step | null = null;
    if (kind > 0) general = step(0, mode, before, callee);
    else if (before !== anything) general = step(0, mode, anything, callee);
    const made = startStep(resolutionUs, general);
    steps.set(key, made);
    return made;
  }

  const stepOf = (taken: StepTaken): Step =>
    step(taken.path.kind + 1, taken.mode, beforeOf(taken), taken.callee);

  /** The same, as far as such steps were seen. */
  const knownStep = (taken: StepTaken): Step => {
    const { mode, callee, path } = taken;
    const before = beforeOf(taken);
    return steps.get(keyOf(path.kind + 1, mode, before, callee)) ??
      steps.get(keyOf(0, mode, before, callee)) ??
      steps.get(keyOf(0, mode, anything, callee)) ?? unknownStep;
  };

  function explain(taken: StepTaken, contributions: Float64Array): void {
    const { gaps, shares } = knownStep(taken);
    const { path, atUs } = taken;
    contributions.fill(0);
    contributions[0] = gaps[0].density.at(atUs - path.startUs);
    if (path.call < 0) return;
    const [fromStart, fromLast, fromEnd] = shares();
    contributions[0] *= fromStart;
    contributions[1] = fromLast * gaps[1].density.at(atUs - path.lastStartUs);
    contributions[2] = fromEnd * gaps[2].density.at(atUs - endedUs(taken));
  }

  function gapCost(taken: StepTaken): number {
    explain(taken, scratch);
    const [a = 0, b = 0, c = 0] = scratch;
    return -Math.log(Math.max(leastDensity, a + b + c));
  }

  function overlapCost(callee: number, mode: number): number {
    const here = overlaps[2 * callee + mode] ?? 1;
    const other = overlaps[2 * callee + 1 - mode] ?? 1;
    return -Math.log(here / (here + other));
  }

  function learnStep(taken: StepTaken, weight: number, by: ShapeModel): void {
    by.explain(taken, scratch);
    const { path, atUs } = taken;
    const whole = scratch.reduce((sum, each) => sum + each, leastDensity);
    const gapsUs = [atUs - path.startUs, atUs - path.lastStartUs, atUs - endedUs(taken)];
    const parts = scratch.map((part) => weight * part / whole);
    for (let at: Step | null = stepOf(taken); at !== null; at = at.general) at.learn(gapsUs, parts);
  }

  const endOf = (path: Path) => ({ path, callee: callees, mode: modes.ending, atUs: path.endUs });

  return {
    callees,
    progress,
    overtaking: overtaking(callees, queue),
    waits: ({ kind, progress }, callee) =>
      totals.moreLikely(kind, callee, progress.counts[callee] ?? 0) > 0.5,
    explain,
    callCost(path, callee, startUs) {
      const mode = modeAt(path, startUs);
      return next.cost(path.kind, path.progress, callee) +
        (path.call < 0 ? 0 : overlapCost(callee, mode)) +
        gapCost({ path, callee, mode, atUs: startUs });
    },
    endCost: (path) => next.cost(path.kind, path.progress, callees) + gapCost(endOf(path)),
    learn(path, weight, by) {
      next.learn(path.kind, path.progress, callees, weight);
      totals.learn(path.kind, path.progress.counts, weight);
      learnStep(endOf(path), weight, by);
      for (let at = path; at.before !== null; at = at.before) {
        const { before, callee, lastStartUs } = at;
        const mode = modeAt(before, lastStartUs);
        next.learn(before.kind, before.progress, callee, weight);
        if (before.call >= 0) {
          overlaps[2 * callee + mode] = (overlaps[2 * callee + mode] ?? 0) + weight;
        }
        learnStep({ path: before, callee, mode, atUs: lastStartUs }, weight, by);
      }
    },
  };
}

const leastDensity = 1e-300;

/** Used by one cost at a time, so as to make no garbage. */
const scratch = new Float64Array(3);

function beforeOf({ path, mode }: StepTaken): number {
  return mode === modes.overlapping ? path.progress.last : path.lastEnded;
}

function modeAt(path: Path, startUs: number): number {
  return startUs < path.lastEndUs ? modes.overlapping : modes.sequential;
}

/** The latest end of a call, as of the step. */
function endedUs({ path, mode, atUs }: StepTaken): number {
  return mode === modes.overlapping ? endOfLatestBy(path, atUs) : path.lastEndUs;
}
