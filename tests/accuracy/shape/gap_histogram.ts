// SPDX-License-Identifier: Apache-2.0
// How long things take from one to the next: a histogram over the logarithm of the gap.

const binsPerDecade = 8;
const decades = 8;
const bins = binsPerDecade * decades + 1;

/** Weight that each bin has before anything was seen. */
const floorWeight = 0.01;

export interface GapHistogram {
  readonly add: (gapUs: number, weight: number) => void;
  /** Minus the logarithm of how likely this gap is. */
  readonly cost: (gapUs: number) => number;
}

export function gapHistogram(): GapHistogram {
  const weights = new Float64Array(bins);
  let costs: Float64Array | null = null;
  return {
    add(gapUs, weight) {
      const bin = binOf(gapUs);
      weights[bin] = (weights[bin] ?? 0) + weight;
      costs = null;
    },
    cost(gapUs) {
      costs ??= costsOf(weights);
      return costs[binOf(gapUs)] ?? 0;
    },
  };
}

/** Gaps below 1 µs are one bin. */
function binOf(gapUs: number): number {
  if (gapUs < 1) return 0;
  return Math.min(bins - 1, 1 + Math.floor(Math.log10(gapUs) * binsPerDecade));
}

/** Smoothed over neighbours, because the bins are narrow and the observations few. */
function costsOf(weights: Float64Array): Float64Array {
  const smooth = weights.map((own, i) =>
    floorWeight + 0.5 * own + 0.2 * ((weights[i - 1] ?? 0) + (weights[i + 1] ?? 0)) +
    0.05 * ((weights[i - 2] ?? 0) + (weights[i + 2] ?? 0))
  );
  const total = smooth.reduce((sum, each) => sum + each, 0);
  return smooth.map((weight) => -Math.log(weight / total));
}
