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

interface Seat {
  readonly source: RunningSource;
  waiting: boolean;
}

export class Driver {
  /** What sources threw, in the order it happened. */
  readonly failures: Error[] = [];
  /** Real time spent in pulls. */
  busyMs = 0;

  readonly #pullRecords: number;
  readonly #bell = newBell();
  readonly #sleep = new AbortController();
  #seats: Seat[] = [];
  #stopping = false;
  #aborted = false;

  constructor(pullRecords = PULL_RECORDS) {
    this.#pullRecords = pullRecords;
  }

  /** Something changed that may let a source go on. */
  changed(): void {
    this.#bell.ring();
  }

  /** Resolves when every source has ended, or soon after `abort`. Never rejects. */
  async drive(sources: readonly RunningSource[]): Promise<void> {
    this.#seats = sources.map((source) => ({ source, waiting: false }));
    if (this.#stopping) this.stop();
    let turnStartMs = performance.now();
    while (this.#seats.length > 0 && !this.#aborted) {
      const startMs = performance.now();
      let moved = false;
      for (const seat of [...this.#seats]) moved = this.#turn(seat) || moved;
      const endMs = performance.now();
      this.busyMs += endMs - startMs;
      if (moved && endMs - turnStartMs < TURN_MS) continue;
      if (!moved) await this.#bell.wait();
      await new Promise((resolve) => setImmediate(resolve));
      turnStartMs = performance.now();
    }
    this.#sleep.abort();
  }

  stop(): void {
    this.#stopping = true;
    for (const { source } of this.#seats) source.stop();
    this.#bell.ring();
  }

  abort(): void {
    this.#aborted = true;
    this.#sleep.abort();
    this.#bell.ring();
  }

  /** True if the source emitted, ended or failed, so that the graph is worth another turn. */
  #turn(seat: Seat): boolean {
    const { source } = seat;
    const room = source.room();
    if (room <= 0) return false;
    try {
      if (source.pull(Math.min(this.#pullRecords, room)) > 0) return true;
      if (!source.done(this.#stopping)) {
        this.#waitFor(seat);
        return false;
      }
      this.#leave(seat);
    } catch (cause) {
      this.#fail(seat, cause);
    }
    return true;
  }

  #waitFor(seat: Seat): void {
    if (seat.waiting) return;
    seat.waiting = true;
    seat.source.wait(this.#sleep.signal).then(() => {
      seat.waiting = false;
      this.#bell.ring();
    }, (cause) => {
      if (!this.#aborted && this.#seats.includes(seat)) this.#fail(seat, cause);
      this.#bell.ring();
    });
  }

  #fail(seat: Seat, cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.failures.push(new Error(`Cannot read on from ${seat.source.id}: ${why}`, { cause }));
    this.#leave(seat);
  }

  #leave(seat: Seat): void {
    this.#seats = this.#seats.filter((other) => other !== seat);
    seat.source.end();
  }
}
