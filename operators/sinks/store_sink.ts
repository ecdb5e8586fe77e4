// SPDX-License-Identifier: Apache-2.0
// Spans into the store, in batches, while capture goes on.
//
// A batch is encoded as soon as it is full and then waits for the store as bytes: a fifth of what
// its spans would take, and nothing that the collector of this thread would have to move about.

import type { AsyncSink, AsyncSinkStage, SinkOutputs } from "../../engine/sink.ts";
import type { DropReason } from "../../model/drops.ts";
import { LIMITS } from "../../model/limits.ts";
import type { SpanRevision } from "../../model/span.ts";
import { ROW_GROUP_SPANS } from "../../queries/store/schema.ts";
import { encodeBatch, revisionsOf } from "../../queries/store/span_batch.ts";
import type { InsertOutcome, Store } from "../../queries/store/store.ts";

export interface StoreSinkOptions {
  /** May still be opening: what comes meanwhile waits in the sink's queue. Not closed here. */
  readonly store: Store | Promise<Store>;
  /** "drop" for live capture, which cannot wait; "block" for a file. */
  readonly whenFull: "drop" | "block";
}

/** Spans per commit, and how long a smaller batch waits: what a kill may lose is under a second. */
const BATCH_SPANS_MAX = 4_096;
const BATCH_WAIT_MS = 500;
/** Of the spans that wait, those that are not encoded yet; a file has time to wait. */
const QUEUE_SPANS_MAX = 2 * BATCH_SPANS_MAX;
const ENCODED_SPANS_MAX = {
  drop: LIMITS.storeQueue.value - QUEUE_SPANS_MAX,
  block: 2 * BATCH_SPANS_MAX,
} as const;

export function storeSink({ store, whenFull }: StoreSinkOptions): AsyncSink<
  SpanRevision,
  DropReason
> {
  const opening = Promise.resolve(store);
  opening.catch(() => {}); // each batch meets the error and is counted
  return {
    kind: "async_sink",
    name: "store",
    limits: ["storeQueue"],
    queue: {
      recordsMax: QUEUE_SPANS_MAX,
      whenFull,
      dropReason: "store_queue_full",
      batchRecordsMax: BATCH_SPANS_MAX,
      batchWaitMs: BATCH_WAIT_MS,
    },
    open: (out) => openSink(opening, ENCODED_SPANS_MAX[whenFull], out),
  };
}

function openSink(
  opening: Promise<Store>,
  spansMax: number,
  out: SinkOutputs<DropReason>,
): AsyncSinkStage<SpanRevision> {
  let opened: Store | undefined;
  opening.then((store) => opened = store, () => {});
  /** Batches on their way, oldest first, and the spans in them. */
  const underway = new Set<Promise<void>>();
  let spans = 0;
  const finish = async (spanCount: number, outcome: Promise<InsertOutcome>) => {
    const { dropped, reason, expired } = await outcome.catch(() => failed(spanCount));
    if (reason !== undefined) out.drop(reason, dropped);
    if (expired > 0) out.drop("retention", expired);
    spans -= spanCount;
  };
  const send = (revisions: readonly SpanRevision[]) => {
    const batch = encodeBatch(revisions);
    spans += batch.spanCount;
    const outcome = opening.then((store) => store.insertBatch(batch));
    const done = finish(batch.spanCount, outcome).finally(() => underway.delete(done));
    underway.add(done);
  };
  return {
    write: async (revisions) => {
      let rest: readonly SpanRevision[] = revisions;
      while (rest.length > 0) {
        while (spans >= spansMax) await underway.values().next().value;
        const rows = (opened?.stats().rows ?? 0) + spans;
        const count = revisionsOf(rest, ROW_GROUP_SPANS - rows % ROW_GROUP_SPANS);
        send(count < rest.length ? rest.slice(0, count) : rest);
        rest = rest.slice(count);
      }
    },
    end: async () => void await Promise.all([...underway]),
    [Symbol.asyncDispose]: async () => void await Promise.all([...underway]),
  };
}

function failed(spans: number): InsertOutcome {
  return { stored: 0, dropped: spans, reason: "store_failed", expired: 0 };
}
