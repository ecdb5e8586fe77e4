// SPDX-License-Identifier: Apache-2.0
// How likely a gap in time is: a smoothed histogram over the logarithm of the gap, told as a
// density per microsecond, so that an instant can be compared as seen from different requests.

const binsPerDecade = 16;
const decades = 9;
const bins = 1 + binsPerDecade * decades;

/** Observations that the more general density counts for. */
const backoffWeight = 12;

/** Observations that "anything may happen" counts for: as much in every bin. */
const unknownWeight = 1;

export interface GapDensity {
  readonly add: (gapUs: number, weight: number) => void;
  /** Per µs. */
  readonly at: (gapUs: number) => number;
  /** What part of the mass lies in each bin. */
  readonly shares: () => Float64Array;
}

/** `general` tells what to expect while little has been seen here. */
export function gapDensity(resolutionUs: number, general: GapDensity | null): GapDensity {
  const counts = new Float64Array(bins);
  let total = 0;
  let known: Float64Array | null = null;
  let densities: Float64Array | null = null;
  const shares = () => known ??= smoothed(counts, total, general);
  return {
    add(gapUs, weight) {
      const bin = binOf(gapUs, resolutionUs);
      counts[bin] = (counts[bin] ?? 0) + weight;
      total += weight;
      known = densities = null;
    },
    at(gapUs) {
      densities ??= shares().map((share, bin) => share / widthUs(bin, resolutionUs));
      return densities[binOf(gapUs, resolutionUs)] ?? 0;
    },
    shares,
  };
}

function binOf(gapUs: number, resolutionUs: number): number {
  const steps = gapUs / resolutionUs + 0.5;
  if (!(steps >= 1)) return 0;
  return Math.min(bins - 1, 1 + Math.floor(Math.log10(steps) * binsPerDecade));
}

/** A bin narrower than the resolution holds at most one possible gap. */
function widthUs(bin: number, resolutionUs: number): number {
  if (bin === 0) return resolutionUs;
  const width = 10 ** (bin / binsPerDecade) - 10 ** ((bin - 1) / binsPerDecade);
  return resolutionUs * Math.max(1, width);
}

function smoothed(
  counts: Float64Array,
  total: number,
  general: GapDensity | null,
): Float64Array {
  const kernel = kernelFor(counts, total);
  const reach = (kernel.length - 1) / 2;
  const expected = general?.shares() ?? null;
  const whole = total + unknownWeight + (expected === null ? 0 : backoffWeight);
  const shares = Float64Array.from(
    counts,
    (_, bin) => unknownWeight / bins + backoffWeight * (expected?.[bin] ?? 0),
  );
  for (let bin = 0; bin < bins; bin++) {
    const count = counts[bin] ?? 0;
    if (count === 0) continue;
    for (let i = -reach; i <= reach; i++) {
      // What would be smeared beyond an edge is mirrored back.
      let to = bin + i;
      if (to < 0) to = -1 - to;
      if (to >= bins) to = 2 * bins - 1 - to;
      shares[to] = (shares[to] ?? 0) + (kernel[i + reach] ?? 0) * count;
    }
  }
  return shares.map((share) => share / whole);
}

/** Wider where the observations are few or spread (Silverman's rule, somewhat sharper). */
function kernelFor(counts: Float64Array, total: number): Float64Array {
  let sum = 0;
  let squares = 0;
  for (const [bin, count] of counts.entries()) {
    sum += bin * count;
    squares += bin * bin * count;
  }
  const mean = sum / Math.max(total, 1e-9);
  const spread = Math.sqrt(Math.max(0, squares / Math.max(total, 1e-9) - mean * mean));
  const sigma = Math.min(6, Math.max(0.5, 0.6 * spread * Math.max(total, 1) ** -0.2));
  const reach = Math.ceil(3 * sigma);
  const kernel = new Float64Array(2 * reach + 1);
  for (let i = -reach; i <= reach; i++) kernel[i + reach] = Math.exp(-0.5 * (i / sigma) ** 2);
  const whole = kernel.reduce((all, each) => all + each, 0);
  return kernel.map((each) => each / whole);
}
