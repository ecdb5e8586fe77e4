// SPDX-License-Identifier: Apache-2.0
// Web Streams at the edges: `fromReadable`, `throughWeb`, `toReadable`.

import type { QueueRules } from "./sink.ts";

/** What `throughWeb` puts into the graph: a transform made anew for every run, and its queue. */
export interface WebStage {
  readonly open: () => WebPair<never, unknown>;
  readonly queue: QueueRules;
}

/** Anything shaped like a TransformStream. */
export interface WebPair<In, Out> {
  readonly writable: WritableStream<In>;
  readonly readable: ReadableStream<Out>;
}

/** The queue before a web transform, unless the flow names another. */
export const WEB_QUEUE: QueueRules = {
  recordsMax: 1_024,
  whenFull: "block",
  batchRecordsMax: 256,
  batchWaitMs: 0,
};
