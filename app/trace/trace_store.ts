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
  /**
   * Waits for everything to be stored; with a limit, for no longer than that. What `last` writes,
   * if it is given with the first call, is part of it.
   */
  readonly close: (withinMs?: number, last?: (store: Store) => Promise<void>) => Promise<void>;
}

/** A user who stops waits no longer for the store: what is acknowledged is safe in its log. */
export const CLOSE_MS_MAX = 700;

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
  let writeLast = (_store: Store): Promise<void> => Promise.resolve();
  const close = closeOnce(
    () =>
      opening.then(async (opened) => {
        await writeLast(opened);
        await opened.close();
      }, () => {}),
    () => {
      // What is acknowledged is in the log; folding it into the file is left to the next opening.
      if (db === undefined || store?.stats().queued === 0) return;
      failure = `Cannot store the newest spans in ${db}: it takes too long`;
    },
  );
  return {
    sink: storeSink({ store: opening, whenFull: kernel === null ? "block" : "drop" }),
    opening,
    problem: () => failure || sentenceOf(store?.stats().problem, db),
    close: (withinMs, last) => {
      if (last !== undefined) writeLast = last;
      return close(withinMs);
    },
    [Symbol.asyncDispose]: () => close(),
  };
}

/** Closes at the first call. When a limit has passed, `late` is told, and no one waits any more. */
export function closeOnce(
  close: () => Promise<void>,
  late: () => void,
): (withinMs?: number) => Promise<void> {
  let closing: Promise<void> | undefined;
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  return async (withinMs) => {
    closing ??= close();
    const timer = withinMs === undefined ? undefined : setTimeout(() => {
      late();
      leave();
    }, withinMs);
    await Promise.race([closing, left]);
    clearTimeout(timer);
  };
}

const REMEDIES: Readonly<Record<string, string>> = {
  "the disk is full": "free space there, or keep less with --keep",
  "the disk quota is used up": "free space there, or keep less with --keep",
  "its file system is read-only": "give another path with --db",
};

/** What the store says of its last failure, as a sentence with what to do about it. */
export function sentenceOf(problem: string | undefined, db: string | undefined): string {
  if (problem === undefined || problem.startsWith("Cannot ")) return problem ?? "";
  const remedy = REMEDIES[problem];
  const where = db === undefined ? "in memory" : `in ${db}`;
  return `Cannot store spans ${where}: ${problem}${remedy === undefined ? "" : `; ${remedy}`}`;
}
