// SPDX-License-Identifier: Apache-2.0
// What a request does next, given what it has called so far: call one more, or end. Learned per
// multiset of calls made and last call; where that was seen rarely, from more general contexts.

import type { Progress } from "./progress.ts";

/** Observations that the more general context counts for. */
const backoffWeight = 1.5;

export interface NextCall {
  readonly learn: (kind: number, progress: Progress, next: number, weight: number) => void;
  /** Minus the logarithm of the probability that `next` is next; `callees` stands for the end. */
  readonly cost: (kind: number, progress: Progress, next: number) => number;
}

interface Seen {
  total: number;
  readonly of: Map<number, number>;
}

export function nextCall(callees: number): NextCall {
  const levels = [0, 1, 2, 3, 4].map(() => new Map<number, Seen>());
  const costs = new Map<number, Float64Array>();
  const costsOf = (kind: number, progress: Progress): Float64Array => {
    let likely = new Float64Array(callees + 1).fill(1 / (callees + 1));
    for (const [i, key] of keys(kind, progress).entries()) {
      const seen = levels[i]?.get(key);
      if (seen === undefined) continue;
      likely = likely.map((share, next) =>
        ((seen.of.get(next) ?? 0) + backoffWeight * share) / (seen.total + backoffWeight)
      );
    }
    return likely.map((share) => -Math.log(share));
  };
  return {
    learn(kind, progress, next, weight) {
      for (const [i, key] of keys(kind, progress).entries()) {
        const level = levels[i];
        if (level === undefined) continue;
        let seen = level.get(key);
        if (seen === undefined) level.set(key, seen = { total: 0, of: new Map() });
        seen.total += weight;
        seen.of.set(next, (seen.of.get(next) ?? 0) + weight);
      }
      costs.clear();
    },
    cost(kind, progress, next) {
      const key = kind * 65_536 + progress.id;
      let known = costs.get(key);
      if (known === undefined) costs.set(key, known = costsOf(kind, progress));
      return known[next] ?? 0;
    },
  };
}

/** From the most general context to the most special. */
function keys(kind: number, { id, set, last }: Progress): readonly number[] {
  return [0, kind, kind * 65_536 + last, kind * 65_536 + set, kind * 65_536 + id];
}
