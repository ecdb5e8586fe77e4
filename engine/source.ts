// SPDX-License-Identifier: Apache-2.0
// The contract of a source: it emits records in synchronous drains and waits at the edge.
//
// Watermarks travel between the records, at places that depend on the records alone and not on
// how many of them one drain happens to take. That is what makes results independent of batch
// size: a timer fires before the same record in a live run, in a replay and in a test.

import type { Nanos } from "./operator.ts";

export interface Source<Out, Side = never, Drop extends string = string> {
  /** A noun, snake_case: "rings", "recording". */
  readonly name: string;
  readonly limits: readonly string[];
  readonly open: (out: SourceOutputs<Out, Side, Drop>) => SourceStage;
}

export interface SourceOutputs<Out, Side = never, Drop extends string = string> {
  readonly emit: (record: Out) => void;
  readonly side: (record: Side) => void;
  readonly drop: (reason: Drop, n?: number) => void;
  /**
   * States that no record older than this is expected any more. Cheap to repeat: what does not
   * rise is ignored. A source of several inputs (rings, files) states the smallest of them.
   * Call it at steps of event time (say every 10 ms), never at the end of a drain.
   */
  readonly advance: (watermarkNs: Nanos) => void;
}

/** The running part of a source, disposed of when the run is over. */
export interface SourceStage extends Disposable {
  /**
   * Emits at most `recordsMax` records (at least 1), in order, and returns how many. Never blocks.
   * 0 means nothing is there now.
   */
  readonly pull: (recordsMax: number) => number;
  /** True when no record will ever come again; asked after a pull that returned 0. */
  readonly done: () => boolean;
  /**
   * Resolves when a pull may find records, or early, or when `signal` is aborted. Called after a
   * pull that returned 0. The place for epoll, file reads and timers.
   */
  readonly wait: (signal: AbortSignal) => Promise<void>;
  /**
   * The run was asked to stop: take in nothing new, let pulls drain what is there, then be done.
   * Without it a stopped source is pulled until it is empty once.
   */
  readonly stop?: () => void;
  /** Records buffered before the first stage, if the source can tell. */
  readonly held?: () => number;
}

/** A source over records in memory, for tests and examples; `timeOf` gives it watermarks. */
export function fromArray<T>(
  records: readonly T[],
  timeOf?: (record: T) => Nanos,
  name = "array",
): Source<T> {
  return {
    name,
    limits: [],
    open(out) {
      let next = 0;
      let stopped = false;
      return {
        pull(recordsMax) {
          const first = next;
          const until = stopped ? first : Math.min(records.length, first + recordsMax);
          while (next < until) {
            const record = records[next++] as T;
            if (timeOf !== undefined) out.advance(timeOf(record));
            out.emit(record);
          }
          return next - first;
        },
        done: () => stopped || next >= records.length,
        wait: () => Promise.resolve(),
        stop: () => void (stopped = true),
        [Symbol.dispose]() {},
      };
    },
  };
}
