// SPDX-License-Identifier: Apache-2.0
// The contracts of sinks: one called per record, and one that takes batches asynchronously behind
// a bounded queue.

import type { Nanos } from "./operator.ts";

/** Takes records as they come, synchronously: a counter, a feedback to a source, a view. */
export interface Sink<In, Drop extends string = string> {
  readonly kind: "sink";
  readonly name: string;
  readonly limits: readonly string[];
  readonly open: (out: SinkOutputs<Drop>) => SinkStage<In>;
}

export interface SinkOutputs<Drop extends string = string> {
  readonly drop: (reason: Drop, n?: number) => void;
}

export interface SinkStage<In> {
  readonly push: (record: In) => void;
  readonly advance?: (watermarkNs: Nanos) => void;
  readonly end?: () => void;
  readonly held?: () => number;
}

/** Takes batches and answers with promises: a database, a file, a network peer. */
export interface AsyncSink<In, Drop extends string = string> {
  readonly kind: "async_sink";
  readonly name: string;
  readonly limits: readonly string[];
  readonly queue: QueueRules;
  readonly open: (out: SinkOutputs<Drop>) => AsyncSinkStage<In>;
}

export interface QueueRules {
  /** Records waiting before the sink, at most (one drain may exceed it when the queue blocks). */
  readonly recordsMax: number;
  /**
   * What happens when the sink is too slow. "block" stops pulling from every source: right where
   * the source can wait, as a file can. "drop" gives the newest records up and counts them: right
   * for a live source, which cannot wait.
   */
  readonly whenFull: "block" | "drop";
  /** What they are counted as; `queue_full` when absent. */
  readonly dropReason?: string;
  /** Records per write, at most; a sink that takes records as they come may get more. */
  readonly batchRecordsMax: number;
  /** A smaller batch waits this long to grow, in milliseconds of real time; 0 writes at once. */
  readonly batchWaitMs: number;
}

/** The queue before a Web stream, unless the flow names another. */
export const WEB_QUEUE: QueueRules = {
  recordsMax: 1_024,
  whenFull: "block",
  batchRecordsMax: 256,
  batchWaitMs: 0,
};

export interface AsyncSinkStage<In> extends AsyncDisposable {
  /**
   * Takes each record as it comes, so that what the sink makes of it waits, not the record: for
   * sinks that can make something much smaller of it, or that lives outside of the heap. All that
   * was taken is written by the next `write`, whose array is empty then.
   */
  readonly take?: (record: In) => void;
  /**
   * Writes one batch; never called again before the promise settles. The array belongs to the
   * sink. If it rejects, the batch goes to the dead letters and the run goes on.
   */
  readonly write: (records: In[]) => Promise<void>;
  /** All records have been written; make them durable. */
  readonly end: () => Promise<void>;
}

/** A sink that appends every record to an array, for tests and examples. */
export function intoArray<T>(records: T[], name = "array"): Sink<T> {
  return { kind: "sink", name, limits: [], open: () => ({ push: (r) => void records.push(r) }) };
}

/** A sink that calls a function for every record. */
export function forEach<T>(name: string, call: (record: T) => void): Sink<T> {
  return { kind: "sink", name, limits: [], open: () => ({ push: call }) };
}

/** A sink for records that nobody wants, where what counts is that they come through. */
export function discard(name = "discard"): Sink<unknown> {
  return { kind: "sink", name, limits: [], open: () => ({ push() {} }) };
}
