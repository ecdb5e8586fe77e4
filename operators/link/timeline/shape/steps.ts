// SPDX-License-Identifier: Apache-2.0
// What is known of all kinds of steps that requests of a service take.

import { startStep, type Step } from "./step.ts";
import { endOfLatestBy, type Path } from "./path.ts";

/** The next call of a path, or its end, whose callee is the number of callees. */
export interface StepTaken {
  readonly path: Path;
  readonly callee: number;
  readonly mode: Mode;
  readonly atUs: number;
}

/** A call while nothing else of the request ran; while something did; the end of the request. */
export type Mode = 0 | 1 | 2;
export const modes = { sequential: 0, overlapping: 1, ending: 2 } as const;

export interface Steps {
  /** Minus the logarithm of how likely this moment is for the step, per µs. */
  readonly cost: (step: StepTaken) => number;
  /** What each of three moments contributes to that likelihood; overwritten by the next call. */
  readonly explain: (step: StepTaken) => Float64Array;
  readonly learn: (step: StepTaken, weight: number, by: Steps) => void;
}

export function startSteps(callees: number, resolutionUs: number): Steps {
  const known = new Map<number, Step>();
  const unknown = startStep(resolutionUs, null);
  const width = callees + 2;
  const anything = callees + 1;
  const contributions = new Float64Array(3);
  const keyOf = (kind: number, mode: number, before: number, callee: number) =>
    ((kind * 3 + mode) * width + before) * width + callee;

  /** Steps of a kind of request are judged by all kinds, these by whatever came before. */
  function made(kind: number, mode: number, before: number, callee: number): Step {
    const key = keyOf(kind, mode, before, callee);
    const found = known.get(key);
    if (found !== undefined) return found;
    let general: Step | null = null;
    if (kind > 0) general = made(0, mode, before, callee);
    else if (before !== anything) general = made(0, mode, anything, callee);
    const step = startStep(resolutionUs, general);
    known.set(key, step);
    return step;
  }

  /** As special as was seen. */
  function lookUp(taken: StepTaken): Step {
    const { mode, callee, path } = taken;
    const before = calleeBefore(taken);
    return known.get(keyOf(path.kind + 1, mode, before, callee)) ??
      known.get(keyOf(0, mode, before, callee)) ??
      known.get(keyOf(0, mode, anything, callee)) ?? unknown;
  }

  function explain(taken: StepTaken): Float64Array {
    const { gaps, shares } = lookUp(taken);
    const { path, atUs } = taken;
    contributions.fill(0);
    contributions[0] = gaps[0].density.at(atUs - path.startUs);
    if (path.call < 0) return contributions;
    const [fromStart, fromLast, fromEnd] = shares();
    contributions[0] *= fromStart;
    contributions[1] = fromLast * gaps[1].density.at(atUs - path.lastStartUs);
    contributions[2] = fromEnd * gaps[2].density.at(atUs - endedUs(taken));
    return contributions;
  }

  return {
    explain,
    cost(taken) {
      const [a = 0, b = 0, c = 0] = explain(taken);
      return -Math.log(Math.max(leastDensity, a + b + c));
    },
    learn(taken, weight, by) {
      const explained = by.explain(taken);
      const whole = explained.reduce((sum, each) => sum + each, leastDensity);
      const parts = explained.map((part) => weight * part / whole);
      const { path, atUs, mode, callee } = taken;
      const gapsUs = [atUs - path.startUs, atUs - path.lastStartUs, atUs - endedUs(taken)];
      let step: Step | null = made(path.kind + 1, mode, calleeBefore(taken), callee);
      for (; step !== null; step = step.general) step.learn(gapsUs, parts);
    },
  };
}

const leastDensity = 1e-300;

function calleeBefore({ path, mode }: StepTaken): number {
  return mode === modes.overlapping ? path.progress.last : path.lastEnded;
}

/** The latest end of a call, as of the step. */
function endedUs({ path, mode, atUs }: StepTaken): number {
  return mode === modes.overlapping ? endOfLatestBy(path, atUs) : path.lastEndUs;
}
