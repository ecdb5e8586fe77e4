// SPDX-License-Identifier: Apache-2.0
// Decides which records are timed on their way through the graph, and splits the time by stage.
//
// Calls nest as stages do, so a stage's own time is its call's minus the calls it made. Reading
// the clock costs about as much as a whole stage: one record in 509 is timed (a prime, so that
// patterns such as request, response, request do not hide half of the records), one watermark
// in 17, and the cost of the reads themselves is measured and subtracted.

export interface Sampler {
  /** True while a timed record or watermark is under way. */
  on: boolean;
  /** Time of the timed calls made by the timed call that is under way. */
  innerMs: number;
  /** What one clock reading costs. */
  readonly readMs: number;
}

export const RECORDS_PER_SAMPLE = 509;
export const WATERMARKS_PER_SAMPLE = 17;

export function newSampler(): Sampler {
  return { on: false, innerMs: 0, readMs: clockReadMs() };
}

function clockReadMs(): number {
  const reads = Array.from({ length: 200 }, () => {
    const startMs = performance.now();
    return performance.now() - startMs;
  });
  return reads.sort((a, b) => a - b)[100] ?? 0;
}
