// SPDX-License-Identifier: Apache-2.0
// The store of a run: opened beside the capture, which does not wait for it.

import type { AsyncSink } from "../../engine/sink.ts";
import type { SpanRevision } from "../../model/span.ts";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { storeSink } from "../../operators/sinks/store_sink.ts";
import { KEEP_IN_MEMORY, KEEP_ON_DISK, parseKeep } from "../../queries/store/keep.ts";
import { openStore, type Store } from "../../queries/store/store.ts";
import type { RecordSource } from "./record_source.ts";

export interface TraceStore extends AsyncDisposable {
  readonly sink: AsyncSink<SpanRevision>;
  readonly opening: Promise<Store>;
  /** Why spans are not stored, as a sentence; "" while they are. */
  readonly problem: () => string;
  readonly close: () => Promise<void>;
}

export interface StoreFlags {
  readonly db?: string;
  readonly keep?: string;
}

/** A store on the file that was asked for; null when none was. */
export function openStoreFor(source: RecordSource, flags: StoreFlags): TraceStore | null {
  return flags.db === undefined ? null : openTraceStore(source, flags);
}

/** A store on a file, or in memory. A failure to open shows in `problem` and in the drops. */
export function openTraceStore({ host, kernel }: RecordSource, flags: StoreFlags): TraceStore {
  const { db, keep } = flags;
  const keepByDefault = db === undefined ? KEEP_IN_MEMORY : KEEP_ON_DISK;
  let store: Store | undefined;
  let failure = "";
  const opening = openStore({
    ...(db === undefined ? {} : { path: db }),
    ...(keep === undefined ? {} : { keep: parseKeep(keep, keepByDefault) }),
    // Data only: protocols have functions, which cannot pass to the store's worker.
    protocols: PROTOCOLS.map(({ name, fields }) => ({ name, fields })),
    facts: { host: host.name, boot_id: host.bootId },
  });
  opening.then((opened) => store = opened, (error) => {
    failure = error instanceof Error ? error.message : String(error);
  });
  let closing: Promise<void> | undefined;
  const close = () => closing ??= opening.then((opened) => opened.close(), () => {});
  return {
    sink: storeSink({ store: opening, whenFull: kernel === null ? "block" : "drop" }),
    opening,
    problem: () => failure || (store?.stats().problem ?? ""),
    close,
    [Symbol.asyncDispose]: close,
  };
}
