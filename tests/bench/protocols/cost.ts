// SPDX-License-Identifier: Apache-2.0
// What one pass of some work costs: processor time, because on a busy machine the clock on the wall
// says little, and memory that is allocated.

import process from "node:process";
import { median } from "../median.ts";

const ROUND_US = 60_000;
const ROUNDS = 5;
/** A mixture of messages takes half a second until all of its code is compiled for good. */
const WARM_UP_ROUNDS = 9;
/** Passes between two looks at the clock, which costs as much as a small pass. */
const PASSES = 16;
const HEAP_READINGS = 15;

/** Nanoseconds of processor time for one pass, garbage collection included: median of rounds. */
export function passNs(work: () => void): number {
  const times: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const start = cpuUs();
    let passes = 0, now = start;
    while (now < start + ROUND_US) {
      for (let i = 0; i < PASSES; i++) work();
      passes += PASSES;
      now = cpuUs();
    }
    if (round >= 0) times.push((now - start) * 1_000 / passes);
  }
  return median(times);
}

/** Bytes that one pass allocates. Call it after `passNs`: cold code allocates more. */
export function passBytes(work: () => void): number {
  const readings: number[] = [];
  while (readings.length < HEAP_READINGS) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PASSES; i++) work();
    const grown = process.memoryUsage().heapUsed - before;
    // The collector ran: what is there now says nothing.
    readings.push(grown < 0 ? NaN : grown / PASSES);
  }
  const counted = readings.filter((reading) => !Number.isNaN(reading));
  return counted.length === 0 ? NaN : median(counted);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
