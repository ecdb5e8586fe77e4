// SPDX-License-Identifier: Apache-2.0
// How long a program takes from one thing to the next: a histogram over the logarithm of time that
// fades, so that a program under load is learned anew.

export interface Gaps {
  readonly shares: Float32Array;
  total: number;
}

const bucketsPerOctave = 2.5;
/** 2^25 µs, half a minute. */
const bucketsCount = 64;

export const startGaps = (): Gaps => ({ shares: new Float32Array(bucketsCount), total: 0 });

export function bucketOf(gapUs: number): number {
  if (gapUs <= 0) return 0;
  return Math.min(bucketsCount - 1, Math.floor(bucketsPerOctave * Math.log2(gapUs + 1)));
}

/** A gap counts for its neighbours as well, because few are seen. */
export function addGap(gaps: Gaps, bucket: number, weight: number): void {
  const { shares } = gaps;
  for (let offset = -2; offset <= 2; offset++) {
    const at = Math.max(0, Math.min(bucketsCount - 1, bucket + offset));
    shares[at] = (shares[at] ?? 0) + weight * (kernel[offset + 2] ?? 0);
  }
  gaps.total += weight;
  if (gaps.total < fadeFrom) return;
  for (let i = 0; i < bucketsCount; i++) shares[i] = (shares[i] ?? 0) / 2;
  gaps.total /= 2;
}

const kernel = [0.06, 0.16, 0.56, 0.16, 0.06];
const fadeFrom = 400;

/** Probability of a bucket, by what is known here and, as far as that is little, elsewhere. */
export function gapShare(gaps: Gaps | undefined, bucket: number, elsewhere: number): number {
  if (gaps === undefined) return elsewhere;
  const doubt = trustedFrom + surprises * gaps.total;
  return ((gaps.shares[bucket] ?? 0) + doubt * elsewhere) / (gaps.total + doubt);
}

const trustedFrom = 3;

/** Share of gaps that nothing seen before foretells: the processor is busy, the network slow. */
const surprises = 0.1;

/** Share of gaps seen that were so long, or longer if all takes `times` as long; 1 if unknown. */
export function shareOfLonger(gaps: Gaps, gapUs: number, times: number): number {
  if (gaps.total < trustedFrom) return 1;
  let longer = 0;
  for (let bucket = bucketOf(gapUs / times); bucket < bucketsCount; bucket++) {
    longer += gaps.shares[bucket] ?? 0;
  }
  return longer / gaps.total;
}

/**
 * Before anything was seen: half of the likelihood is spread over orders of magnitude, half evenly
 * over so many µs, so that what comes soon is likelier than what comes late, but not by much.
 */
const evenlyUs = 30_000;

const unknownShares = Float64Array.from({ length: bucketsCount }, (_, bucket) => {
  const [from, to] = [startUsOf(bucket), startUsOf(bucket + 1)];
  return 0.5 / bucketsCount + 0.5 * (Math.min(to, evenlyUs) - Math.min(from, evenlyUs)) / evenlyUs;
});

export const unknownGapShare = (bucket: number): number => unknownShares[bucket] ?? 0;

function startUsOf(bucket: number): number {
  return 2 ** (bucket / bucketsPerOctave) - 1;
}

/** Minus the logarithm of the width of buckets there, on the scale of `gapShare`. */
export const widthCost = (gapUs: number): number => Math.log(Math.max(0, gapUs) + 1);
