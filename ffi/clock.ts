// SPDX-License-Identifier: Apache-2.0
// Readings of the kernel's clocks: boot time orders events, real time is what people read.

import type { Libc } from "./libc.ts";

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;
const TRIES = 5;

/** realNs is Unix time at bootNs; uncertaintyNs is how long the reading of both took. */
export interface ClockReading {
  readonly bootNs: bigint;
  readonly realNs: bigint;
  readonly uncertaintyNs: bigint;
}

export interface Clock {
  bootNs(): bigint;
  /** The tightest of five readings of real time between two of boot time. */
  read(): ClockReading;
}

export function openClock(libc: Libc): Clock {
  const time = new BigInt64Array(2);
  const now = (clock: number): bigint => {
    libc.call.clock_gettime(clock, time);
    return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
  };

  function once(): ClockReading {
    const before = now(CLOCK_BOOTTIME);
    const realNs = now(CLOCK_REALTIME);
    const after = now(CLOCK_BOOTTIME);
    return { bootNs: (before + after) / 2n, realNs, uncertaintyNs: after - before };
  }

  return {
    bootNs: () => now(CLOCK_BOOTTIME),
    read() {
      let best = once();
      for (let i = 1; i < TRIES; i++) {
        const next = once();
        if (next.uncertaintyNs < best.uncertaintyNs) best = next;
      }
      return best;
    },
  };
}
