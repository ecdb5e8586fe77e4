// SPDX-License-Identifier: Apache-2.0
// Spans into the store, in batches, while capture goes on.

import type { AsyncSink } from "../../engine/sink.ts";
import type { DropReason } from "../../model/drops.ts";
import { LIMITS } from "../../model/limits.ts";
import type { SpanRevision } from "../../model/span.ts";
import type { InsertOutcome, Store } from "../../queries/store/store.ts";

export interface StoreSinkOptions {
  /** May still be opening: what comes meanwhile waits in the sink's queue. Not closed here. */
  readonly store: Store | Promise<Store>;
  /** "drop" for live capture, which cannot wait; "block" for a file. */
  readonly whenFull: "drop" | "block";
}

/** Spans per commit, and how long a smaller batch waits: what a kill may lose is under a second. */
const BATCH_SPANS_MAX = 8_192;
const BATCH_WAIT_MS = 500;

export function storeSink(options: StoreSinkOptions): AsyncSink<SpanRevision, DropReason> {
  const opening = Promise.resolve(options.store);
  opening.catch(() => {}); // each batch meets the error and is counted
  return {
    kind: "async_sink",
    name: "store",
    limits: ["storeQueue"],
    queue: {
      recordsMax: LIMITS.storeQueue.value,
      whenFull: options.whenFull,
      batchRecordsMax: BATCH_SPANS_MAX,
      batchWaitMs: BATCH_WAIT_MS,
    },
    open: (out) => {
      /** The batch on its way: one is encoded here while the worker stores the one before. */
      let underway: Promise<void> = Promise.resolve();
      const send = async (revisions: SpanRevision[]) => {
        const { dropped, reason, expired } = await store(opening, revisions);
        if (reason !== undefined) out.drop(reason, dropped);
        if (expired > 0) out.drop("retention", expired);
      };
      return {
        write: async (revisions) => {
          const before = underway;
          underway = send(revisions);
          await before;
        },
        end: () => underway,
        [Symbol.asyncDispose]: () => underway,
      };
    },
  };
}

async function store(
  opening: Promise<Store>,
  revisions: readonly SpanRevision[],
): Promise<InsertOutcome> {
  try {
    return await (await opening).insertSpans(revisions);
  } catch {
    return { stored: 0, dropped: revisions.length, reason: "store_failed", expired: 0 };
  }
}
