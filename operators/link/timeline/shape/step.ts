// SPDX-License-Identifier: Apache-2.0
// One kind of step that requests take: the gaps before it, measured from three moments, and how
// often each of these moments explains it.

import { type GapDensity, gapDensity } from "./gap_density.ts";

type Three = readonly [number, number, number];

export interface Step {
  /** What to expect where little has been seen. */
  readonly general: Step | null;
  readonly gaps: readonly [Gap, Gap, Gap];
  readonly shares: () => Three;
  /** A step with these gaps, each of which explains so much of it. */
  readonly learn: (gapsUs: readonly number[], parts: Float64Array) => void;
}

export interface Gap {
  readonly density: GapDensity;
  /** Steps that it explained. */
  seen: number;
}

/** Steps that the more general shares count for. */
const backoffWeight = 5;

/** Less of a step is not worth learning. */
const leastPart = 1e-4;

export function startStep(resolutionUs: number, general: Step | null): Step {
  const gap = (which: 0 | 1 | 2): Gap => ({
    density: gapDensity(resolutionUs, general?.gaps[which].density ?? null),
    seen: 0,
  });
  const gaps = [gap(0), gap(1), gap(2)] as const;
  let known: Three | null = null;
  const sharesNow = (): Three => {
    const expected = general?.shares() ?? [1 / 3, 1 / 3, 1 / 3];
    const whole = gaps[0].seen + gaps[1].seen + gaps[2].seen + backoffWeight;
    const share = (which: 0 | 1 | 2) =>
      (gaps[which].seen + backoffWeight * expected[which]) / whole;
    return [share(0), share(1), share(2)];
  };
  return {
    general,
    gaps,
    shares: () => known ??= sharesNow(),
    learn(gapsUs, parts) {
      known = null;
      for (const [i, gap] of gaps.entries()) {
        const part = parts[i] ?? 0;
        if (part < leastPart) continue;
        gap.density.add(gapsUs[i] ?? 0, part);
        gap.seen += part;
      }
    },
  };
}
