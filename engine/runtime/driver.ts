// SPDX-License-Identifier: Apache-2.0
// The run loop: pulls the sources in turn, as fast as the queues downstream have room, and sleeps
// when there is nothing to pull.

import { setImmediate } from "node:timers";
import { newBell } from "./bell.ts";
import type { RunningSource } from "./running_source.ts";

/** Records per pull, at most. Larger drains gain nothing and delay the other sources. */
const PULL_RECORDS = 512;
/** After this long the loop lets timers, signals and async sinks have their turn. */
const TURN_MS = 5;

export interface Driver {
  /** Resolves when every source has ended, or at once after `abort`. Never rejects. */
  readonly drive: () => Promise<void>;
  /** Something changed that may let a source go on. */
  readonly changed: () => void;
  readonly stop: () => void;
  readonly abort: () => void;
  readonly busyMs: () => number;
  /** What sources threw, in the order it happened. */
  readonly failures: readonly Error[];
}

interface Seat {
  readonly source: RunningSource;
  waiting: boolean;
}

export function newDriver(
  sources: () => readonly RunningSource[],
  pullRecords = PULL_RECORDS,
): Driver {
  const bell = newBell();
  const sleep = new AbortController();
  const failures: Error[] = [];
  let seats: Seat[] = [];
  let stopping = false;
  let aborted = false;
  let busyMs = 0;

  const leave = (seat: Seat, failure?: unknown): void => {
    if (failure !== undefined) {
      const why = failure instanceof Error ? failure.message : String(failure);
      const message = `Cannot read on from ${seat.source.id}: ${why}`;
      failures.push(new Error(message, { cause: failure }));
    }
    seats = seats.filter((other) => other !== seat);
    seat.source.end();
  };
  /** Waits without blocking the loop. */
  const waitFor = (seat: Seat): void => {
    if (seat.waiting) return;
    seat.waiting = true;
    seat.source.wait(sleep.signal).then(() => {
      seat.waiting = false;
      bell.ring();
    }, (failure) => {
      if (seats.includes(seat) && !aborted) leave(seat, failure);
      bell.ring();
    });
  };
  /** True if the source emitted, ended or failed, so that it is worth another turn. */
  const turn = (seat: Seat): boolean => {
    const room = seat.source.room();
    if (room <= 0) return false;
    try {
      if (seat.source.pull(Math.min(pullRecords, room)) > 0) return true;
      if (!seat.source.done(stopping)) {
        waitFor(seat);
        return false;
      }
      leave(seat);
    } catch (failure) {
      leave(seat, failure);
    }
    return true;
  };
  const drive = async (): Promise<void> => {
    seats = sources().map((source) => ({ source, waiting: false }));
    if (stopping) { for (const { source } of seats) source.stop(); }
    let turnEndsMs = performance.now() + TURN_MS;
    while (seats.length > 0 && !aborted) {
      const startMs = performance.now();
      let moved = false;
      for (const seat of [...seats]) moved = turn(seat) || moved;
      const endMs = performance.now();
      busyMs += endMs - startMs;
      if (!moved) await bell.wait();
      if (!moved || endMs > turnEndsMs) {
        await new Promise((resolve) => setImmediate(resolve));
        turnEndsMs = performance.now() + TURN_MS;
      }
    }
    sleep.abort();
  };
  return {
    drive,
    changed: bell.ring,
    failures,
    busyMs: () => busyMs,
    stop() {
      stopping = true;
      for (const { source } of seats) source.stop();
      bell.ring();
    },
    abort() {
      aborted = true;
      sleep.abort();
      bell.ring();
    },
  };
}
