// SPDX-License-Identifier: Apache-2.0
// Runs pipelines: opens their graph, drives it, stops it, and tells how it is going.

import type { Pipeline } from "./flow.ts";
import { describeGraph, type Graph } from "./graph.ts";
import { TIME_MIN } from "./operator.ts";
import { connect } from "./runtime/connect.ts";
import { DeadLetterBox, type DeadLetters } from "./runtime/dead_letters.ts";
import { type Driver, newDriver } from "./runtime/driver.ts";
import { readMeter, type Snapshot } from "./runtime/meters.ts";

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

/** Starts the pipelines, which share what they have in common. Throws what a stage's `open` throws. */
export function run(pipelines: Pipeline | readonly Pipeline[], options: RunOptions = {}): Run {
  const list: readonly Pipeline[] = "sink" in pipelines ? [pipelines] : pipelines;
  const ends = [...new Set(list.map((pipeline) => pipeline.sink))];
  const letters = new DeadLetterBox(options.deadLettersMax ?? 1_024);
  const driver: Driver = newDriver(() => connected.sources, options.pullRecords);
  const connected = connect(ends, letters, driver.changed);
  const startMs = performance.now();
  let ending: Ending = "done";
  let deadline: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  const finish = async (): Promise<Ending> => {
    const { signal } = options;
    const onSignal = (): void => void stop();
    signal?.addEventListener("abort", onSignal);
    if (signal?.aborted) onSignal();
    const failures: unknown[] = [];
    try {
      await driver.drive();
      const closings = await Promise.allSettled(
        connected.queues.map((each) => each.queue.finished),
      );
      failures.push(...driver.failures);
      for (const closing of closings) {
        if (closing.status === "rejected") failures.push(closing.reason);
      }
    } finally {
      over = true;
      signal?.removeEventListener("abort", onSignal);
      clearTimeout(deadline);
      for (const source of connected.sources) source.dispose();
    }
    if (failures.length > 0) throw failures[0];
    return ending;
  };
  const abort = (): Promise<Ending> => {
    if (over) return finished;
    ending = "aborted";
    driver.abort();
    for (const { queue } of connected.queues) queue.abort();
    return finished;
  };
  const stop: Run["stop"] = ({ deadlineMs = STOP_DEADLINE_MS } = {}) => {
    if (over) return finished;
    if (ending === "done") ending = "stopped";
    driver.stop();
    deadline ??= setTimeout(abort, deadlineMs);
    return finished;
  };
  const finished = Promise.resolve().then(finish);
  return {
    graph: describeGraph(ends),
    deadLetters: letters,
    finished,
    stop,
    abort,
    meters() {
      const newestNs = connected.meters.reduce(
        (newest, { watermarkNs }) => watermarkNs > newest ? watermarkNs : newest,
        TIME_MIN,
      );
      return {
        elapsedMs: performance.now() - startMs,
        busyMs: driver.busyMs(),
        nodes: connected.meters.map((meter) => readMeter(meter, newestNs)),
      };
    },
    async [Symbol.asyncDispose]() {
      await abort().catch(() => {}); // whoever awaits `finished` hears of it
    },
  };
}
