// SPDX-License-Identifier: Apache-2.0
// How many calls requests make to each callee by the time they end.

export interface CallCounts {
  readonly learn: (kind: number, counts: readonly number[], weight: number) => void;
  /** How likely a request that has made so many calls to the callee makes one more some time. */
  readonly moreLikely: (kind: number, callee: number, count: number) => number;
}

export function callCounts(): CallCounts {
  /** By kind and callee: weight of requests, by their count. */
  const seen = new Map<string, number[]>();
  return {
    learn(kind, counts, weight) {
      for (const [callee, count] of counts.entries()) {
        const key = `${kind}/${callee}`;
        const weights = seen.get(key) ?? [];
        seen.set(key, weights);
        while (weights.length <= count) weights.push(0);
        weights[count] = (weights[count] ?? 0) + weight;
      }
    },
    moreLikely(kind, callee, count) {
      const weights = seen.get(`${kind}/${callee}`) ?? [];
      let more = 1;
      for (let i = count + 1; i < weights.length; i++) more += weights[i] ?? 0;
      return more / (more + (weights[count] ?? 0));
    },
  };
}
