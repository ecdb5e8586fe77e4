// SPDX-License-Identifier: Apache-2.0
// The store: spans go in as batches, SQL comes back as columns. The database itself lives in a
// worker, so that neither its start (about a second) nor a heavy query holds up capture.

import type { DropReason } from "../../model/drops.ts";
import { LIMITS } from "../../model/limits.ts";
import type { SpanRevision } from "../../model/span.ts";
import { bindParameters, type Parameter } from "./bind_parameters.ts";
import { acquireFile } from "./file_access.ts";
import { type Keep, KEEP_IN_MEMORY, KEEP_ON_DISK } from "./keep.ts";
import { readResult, type Result } from "./result.ts";
import type { ProtocolFields } from "./schema.ts";
import { encodeBatch } from "./span_batch.ts";
import type { InsertRequest } from "./worker/messages.ts";
import { superviseWorker } from "./worker/supervised_worker.ts";

export interface StoreOptions {
  /** Database file; absent: in memory. */
  readonly path?: string;
  /** Open for queries only; works while another process writes the file. */
  readonly readOnly?: boolean;
  /** To read: also a file of another version, whose tables may lack columns. */
  readonly anySchema?: boolean;
  readonly keep?: Keep;
  /** Each gets a view `span_<name>`. */
  readonly protocols?: readonly ProtocolFields[];
  /** Kept in `store_meta`: host, boot_id, program_version. */
  readonly facts?: Readonly<Record<string, string>>;
}

export interface QueryOptions {
  readonly timeoutMs?: number;
  readonly rowsMax?: number;
  readonly bytesMax?: number;
  readonly signal?: AbortSignal;
}

/** What became of a batch. Storing never throws: what is not stored is counted here. */
export interface InsertOutcome {
  readonly stored: number;
  readonly dropped: number;
  readonly reason?: DropReason;
  /** Spans removed from the store because they are older, or more, than `keep` allows. */
  readonly expired: number;
}

export interface StoreStats {
  readonly inserted: number;
  readonly queued: number;
  /** Rows of the newest table; batches had better end at multiples of ROW_GROUP_SPANS. */
  readonly rows: number;
  readonly expired: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Why the last batch could not be stored; absent when it could. */
  readonly problem?: string;
}

export interface Store extends AsyncDisposable {
  readonly path: string | undefined;
  readonly engineVersion: string;
  /** Runs one statement that only reads, bounded in time, rows and bytes. */
  query(sql: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<Result>;
  /** Runs statements of the program itself; not for what users type. */
  exec(sql: string): Promise<void>;
  /** Stores spans with their candidates in one commit; resolves when they are durable. */
  insertSpans(revisions: readonly SpanRevision[]): Promise<InsertOutcome>;
  /** The same for a batch that is encoded already. */
  insertBatch(batch: InsertRequest): Promise<InsertOutcome>;
  checkpoint(): Promise<void>;
  stats(): StoreStats;
  close(): Promise<void>;
}

const QUERY_TIMEOUT_MS = 30_000;
const QUERY_ROWS_MAX = 1_000_000;
const QUERY_BYTES_MAX = 512_000_000;

export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const { path, readOnly = false, anySchema = false, facts = {} } = options;
  const protocols = (options.protocols ?? []).map(plainFields);
  const keep = options.keep ?? (path === undefined ? KEEP_IN_MEMORY : KEEP_ON_DISK);
  const refuse = (error: Error) => {
    throw new Error(`Cannot open ${path ?? "the store"}: ${error.message}`);
  };
  const file = path === undefined ? undefined : await acquireFile(path, readOnly).catch(refuse);
  const target = file === undefined ? {} : { path: file.path };
  const release = async () => void await file?.[Symbol.asyncDispose]();
  const counts = createCounts();
  const request = { ...target, readOnly, anySchema, keep, protocols, facts };
  const worker = await superviseWorker(request, ({ spans, rows }) => counts.lose(spans, rows))
    .catch(async (error) => {
      await release();
      return refuse(error);
    });
  counts.held = worker.opened.spans;
  counts.rows = worker.opened.rows;
  const closeAll = async () => {
    // What is acknowledged is safe in the log, even if it cannot be folded into the database.
    await worker.call({ kind: "close" }).catch((error) => counts.note(error.message));
    worker[Symbol.dispose]();
    await release();
  };
  const insertBatch = async (batch: InsertRequest): Promise<InsertOutcome> => {
    const { spanCount } = batch;
    if (counts.queued + spanCount > LIMITS.storeQueue.value) {
      return counts.drop(spanCount, "store_queue_full");
    }
    counts.queued += spanCount;
    try {
      const { expired, spans, rows, broken } = await worker.call(batch);
      counts.held = spans;
      counts.rows = rows;
      if (broken !== undefined) worker.retire(broken);
      return counts.insert(spanCount, expired);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return counts.drop(spanCount, "store_failed", problem);
    } finally {
      counts.queued -= spanCount;
    }
  };
  let closing: Promise<void> | undefined;
  const close = () => closing ??= closeAll();
  return {
    path,
    engineVersion: worker.opened.engineVersion,
    query: async (sql, parameters = [], options = {}) => {
      const { timeoutMs = QUERY_TIMEOUT_MS, signal } = options;
      const { rowsMax = QUERY_ROWS_MAX, bytesMax = QUERY_BYTES_MAX } = options;
      const bound = bindParameters(sql, parameters);
      const request = { kind: "query", sql: bound, timeoutMs, rowsMax, bytesMax } as const;
      return readResult(await worker.call(request, signal), rowsMax);
    },
    exec: async (sql) => void await worker.call({ kind: "exec", sql }),
    insertSpans: async (revisions) => await insertBatch(encodeBatch(revisions)),
    insertBatch,
    checkpoint: async () => void await worker.call({ kind: "checkpoint" }),
    stats: counts.stats,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Data only: a protocol's functions could not pass to the worker. */
function plainFields({ name, fields }: ProtocolFields): ProtocolFields {
  const plain = Object.entries(fields).map(([field, { type, doc }]) => [field, { type, doc }]);
  return { name, fields: Object.fromEntries(plain) };
}

function createCounts() {
  let inserted = 0;
  let expiredInAll = 0;
  let lastProblem: string | undefined;
  const dropped: Partial<Record<DropReason, number>> = {};
  const counts = {
    queued: 0,
    /** Spans in the store, as last told. */
    held: 0,
    rows: 0,
    /** An engine broke and was replaced; the new one has `left` spans. */
    lose(left: number, rows: number) {
      const lost = counts.held - left;
      if (lost > 0) dropped.store_failed = (dropped.store_failed ?? 0) + lost;
      counts.held = left;
      counts.rows = rows;
    },
    note(problem: string) {
      lastProblem = problem;
    },
    insert(stored: number, expired: number): InsertOutcome {
      lastProblem = undefined;
      inserted += stored;
      expiredInAll += expired;
      return { stored, dropped: 0, expired };
    },
    drop(n: number, reason: DropReason, problem?: string): InsertOutcome {
      lastProblem = problem ?? lastProblem;
      dropped[reason] = (dropped[reason] ?? 0) + n;
      return { stored: 0, dropped: n, reason, expired: 0 };
    },
    stats(): StoreStats {
      const problem = lastProblem === undefined ? {} : { problem: lastProblem };
      const { queued, rows } = counts;
      return { inserted, queued, rows, expired: expiredInAll, dropped, ...problem };
    },
  };
  return counts;
}
