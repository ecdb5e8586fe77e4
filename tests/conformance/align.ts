// SPDX-License-Identifier: Apache-2.0
// Lays two sequences of messages beside each other so that as much as possible agrees, in order.

import { disagreements, FACT_NAMES, type Facts } from "./facts.ts";

/** A pair, or one of a kind: `ours` null is a message we lack, `expected` null one more of ours. */
export interface Aligned<E, O> {
  readonly expected: E | null;
  readonly ours: O | null;
}

/** Needleman and Wunsch's alignment; a pair is worth the facts it agrees on. */
export function align<E extends { facts: Facts }, O extends { facts: Facts }>(
  expected: readonly E[],
  ours: readonly O[],
): Aligned<E, O>[] {
  const columns = ours.length + 1;
  const best = new Float64Array((expected.length + 1) * columns);
  const worth = (i: number, j: number) => worthOf(expected[i]?.facts ?? {}, ours[j]?.facts ?? {});
  const at = (i: number, j: number) => best[i * columns + j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = ours.length - 1; j >= 0; j--) {
      best[i * columns + j] = Math.max(at(i + 1, j), at(i, j + 1), at(i + 1, j + 1) + worth(i, j));
    }
  }
  const aligned: Aligned<E, O>[] = [];
  let i = 0, j = 0;
  while (i < expected.length || j < ours.length) {
    const e = expected[i] ?? null, o = ours[j] ?? null;
    if (e !== null && o !== null && at(i, j) === at(i + 1, j + 1) + worth(i, j)) {
      aligned.push({ expected: e, ours: o });
      i++;
      j++;
    } else if (e !== null && (o === null || at(i, j) === at(i + 1, j))) {
      aligned.push({ expected: e, ours: null });
      i++;
    } else {
      aligned.push({ expected: null, ours: o });
      j++;
    }
  }
  return aligned;
}

/** At least 0: messages that share little are no pair. */
function worthOf(expected: Facts, ours: Facts): number {
  const stated = FACT_NAMES.filter((name) => expected[name] !== undefined).length;
  if (stated === 0) return 0;
  const wrong = disagreements(expected, ours);
  const share = (stated - wrong.length) / stated;
  return Math.max(0, share - (wrong.includes("id") ? 0.5 : 0) - (wrong.includes("kind") ? 0.4 : 0));
}
