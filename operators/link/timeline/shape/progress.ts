// SPDX-License-Identifier: Apache-2.0
// What a request has called so far: how often each callee, and which last.

/** More calls of one callee count alike. */
const countMax = 12;
const progressesMax = 20_000;

/** The same object for the same calls. */
export interface Progress {
  readonly id: number;
  /** The number of the multiset of calls, whatever their order. */
  readonly set: number;
  /** Callee of the last call; the number of callees while there is none. */
  readonly last: number;
  /** By callee. */
  readonly counts: readonly number[];
  readonly after: Progress[];
}

export interface ProgressTable {
  readonly first: Progress;
  readonly then: (progress: Progress, callee: number) => Progress;
}

export function progressTable(callees: number): ProgressTable {
  const known = new Map<string, Progress>();
  const sets = new Map<string, number>();
  const intern = (counts: readonly number[], last: number): Progress => {
    const text = counts.join();
    const key = `${text}/${last}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const set = sets.get(text) ?? sets.size;
    sets.set(text, set);
    const made = { id: known.size, set, last, counts, after: [] };
    known.set(key, made);
    return made;
  };
  return {
    first: intern(new Array<number>(callees).fill(0), callees),
    then(progress, callee) {
      const cached = progress.after[callee];
      if (cached !== undefined) return cached;
      let next = progress;
      if (known.size < progressesMax) {
        const counts = progress.counts.slice();
        counts[callee] = Math.min(countMax, (counts[callee] ?? 0) + 1);
        next = intern(counts, callee);
      }
      return progress.after[callee] = next;
    },
  };
}
