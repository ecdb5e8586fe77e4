// SPDX-License-Identifier: Apache-2.0
// Simulated time and seeded chance: the same seed gives the same run.

/** mulberry32: small, fast, good enough for arrival times. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Clock {
  readonly nowNs: () => number;
  readonly random: () => number;
  /** Exponentially distributed, at least a twentieth of the mean. */
  readonly around: (meanNs: number) => number;
  readonly after: (delayNs: number, run: () => void) => void;
  /** Runs until nothing is due any more, or `stop` says so. */
  readonly run: (stop: () => boolean) => void;
}

interface Due {
  readonly atNs: number;
  readonly order: number;
  readonly run: () => void;
}

export function startClock(seed: number): Clock {
  const heap: Due[] = [];
  const random = seeded(seed);
  let nowNs = 1_000_000_000;
  let order = 0;
  const earlier = (a: Due, b: Due) => a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);

  function push(due: Due): void {
    let at = heap.push(due) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = heap[up];
      if (above === undefined || earlier(above, due)) break;
      heap[at] = above;
      at = up;
    }
    heap[at] = due;
  }

  function pop(): Due | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let below = heap[down];
      if (below === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && earlier(right, below)) {
        below = right;
        down++;
      }
      if (earlier(last, below)) break;
      heap[at] = below;
      at = down;
    }
    heap[at] = last;
    return top;
  }

  return {
    nowNs: () => nowNs,
    random,
    around: (meanNs) => Math.round(meanNs * Math.max(0.05, -Math.log(1 - random()))),
    after: (delayNs, run) =>
      push({ atNs: nowNs + Math.max(1, Math.round(delayNs)), order: order++, run }),
    run(stop) {
      while (!stop()) {
        const due = pop();
        if (due === undefined) return;
        nowNs = due.atNs;
        due.run();
      }
    },
  };
}
