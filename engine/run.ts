// SPDX-License-Identifier: Apache-2.0
// Runs pipelines: opens their graph, drives it, stops it, and tells how it is going.

import type { Pipeline } from "./flow.ts";
import { describeGraph, type Graph, type SinkNode } from "./graph.ts";
import { connect, type Connected } from "./runtime/connect.ts";
import { DeadLetterBox, type DeadLetters } from "./runtime/dead_letters.ts";
import { Driver } from "./runtime/driver.ts";
import { readMeters, type Snapshot } from "./runtime/meters.ts";

export interface RunOptions {
  /** Aborting it stops the run gracefully, as `stop()` does. */
  readonly signal?: AbortSignal;
  /** Failed records kept to look at; 1,024 if absent. All are counted. */
  readonly deadLettersMax?: number;
  /** Records per pull; results do not depend on it. */
  readonly pullRecords?: number;
}

/** How a run ended: sources exhausted, stopped on request, or cut off with records given up. */
export type Ending = "done" | "stopped" | "aborted";

export interface Run extends AsyncDisposable {
  readonly graph: Graph;
  readonly deadLetters: DeadLetters;
  /** Counts since the run began; cheap enough to call every second. */
  readonly meters: () => Snapshot;
  /**
   * Resolves when the last record is through the last sink. Rejects, after everything else has
   * been drained and closed, if a source failed or a sink could not close.
   */
  readonly finished: Promise<Ending>;
  /**
   * Asks the sources to stop, lets all that is under way drain into the sinks, and closes them.
   * What is not through after `deadlineMs` (3,000 if absent) is given up and counted `aborted`.
   */
  readonly stop: (options?: { readonly deadlineMs?: number }) => Promise<Ending>;
  /** Cuts the run off now. */
  readonly abort: () => Promise<Ending>;
}

const STOP_DEADLINE_MS = 3_000;
const DEAD_LETTERS_MAX = 1_024;

/** Starts the pipelines, sharing what they share. Throws what the `open` of a stage throws. */
export function run(pipelines: Pipeline | readonly Pipeline[], options: RunOptions = {}): Run {
  const list: readonly Pipeline[] = "sink" in pipelines ? [pipelines] : pipelines;
  return new RunningGraph([...new Set(list.map((pipeline) => pipeline.sink))], options);
}

class RunningGraph implements Run {
  readonly graph: Graph;
  readonly deadLetters: DeadLetterBox;
  readonly finished: Promise<Ending>;
  readonly #driver: Driver;
  readonly #connected: Connected;
  readonly #startMs = performance.now();
  #ending: Ending = "done";
  #over = false;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** When that is due: the soonest of all that were asked for. */
  #dueMs = Infinity;

  constructor(ends: readonly SinkNode[], { deadLettersMax, pullRecords, signal }: RunOptions) {
    const driver = new Driver(pullRecords);
    this.#driver = driver;
    this.graph = describeGraph(ends);
    this.deadLetters = new DeadLetterBox(deadLettersMax ?? DEAD_LETTERS_MAX);
    this.#connected = connect(ends, this.deadLetters, () => driver.changed());
    this.finished = this.#work(signal);
  }

  readonly meters = (): Snapshot => {
    return {
      elapsedMs: performance.now() - this.#startMs,
      busyMs: this.#driver.busyMs,
      nodes: readMeters(this.graph, this.#connected.meters),
    };
  };

  readonly stop: Run["stop"] = ({ deadlineMs = STOP_DEADLINE_MS } = {}) => {
    if (this.#over) return this.finished;
    if (this.#ending === "done") this.#ending = "stopped";
    this.#driver.stop();
    const dueMs = performance.now() + deadlineMs;
    if (dueMs < this.#dueMs) {
      this.#dueMs = dueMs;
      clearTimeout(this.#deadline);
      this.#deadline = setTimeout(this.abort, deadlineMs);
    }
    return this.finished;
  };

  readonly abort = (): Promise<Ending> => {
    if (this.#over) return this.finished;
    this.#ending = "aborted";
    this.#driver.abort();
    for (const { queue } of this.#connected.queues) queue.abort();
    return this.finished;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort().catch(() => {}); // whoever awaits `finished` hears of it
  }

  async #work(signal: AbortSignal | undefined): Promise<Ending> {
    const stopBySignal = (): void => void this.stop();
    signal?.addEventListener("abort", stopBySignal);
    const { sources, queues } = this.#connected;
    try {
      await Promise.resolve(); // whoever called `run` has its result before the first record
      if (signal?.aborted) stopBySignal();
      await this.#driver.drive(sources);
      const closings = await Promise.allSettled(queues.map(closing));
      const [failure] = [
        ...this.#driver.failures,
        ...closings.flatMap((each) => each.status === "rejected" ? [each.reason] : []),
      ];
      if (failure !== undefined) throw failure;
      return this.#ending;
    } finally {
      this.#over = true;
      signal?.removeEventListener("abort", stopBySignal);
      clearTimeout(this.#deadline);
      for (const source of sources) source.dispose();
    }
  }
}

async function closing({ id, queue }: Connected["queues"][number]): Promise<void> {
  try {
    await queue.finished;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot close ${id}: ${why}`, { cause });
  }
}
