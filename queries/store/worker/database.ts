// SPDX-License-Identifier: Apache-2.0
// The database inside the worker: opens or creates it, stores batches, answers queries.

import { MINUTE } from "../../../model/time.ts";
import type { Inserted, InsertRequest, Opened, OpenRequest } from "./messages.ts";
import type { QueryParts, QueryRequest } from "./messages.ts";
import { isFatal, plainReason } from "../problems.ts";
import { ROW_GROUP_SPANS, sliceTable } from "../schema.ts";
import { runQuery } from "./run_query.ts";
import { atomically, type Slices } from "./slices.ts";
import {
  checkForReading,
  countSpans,
  prepareTables,
  readUsedBytes,
  runOn,
  setFacts,
} from "./tables.ts";
import { type Connection, type Engine, openEngine } from "./wasm_engine.ts";

export interface Database extends Disposable {
  readonly opened: Opened;
  insert(batch: InsertRequest): Inserted;
  /** Runs in steps, awaiting `turn` between them; stops once `isCancelled`. */
  query(request: QueryRequest, turn: () => Promise<void>, isCancelled: () => boolean): Promise<
    QueryParts
  >;
  exec(sql: string): void;
  checkpoint(): void;
}

/** What queries and a checkpoint may take; spans in memory, compressed, come on top. */
const WORKING_BYTES_MAX = 700_000_000;
const SPAN_BYTES_IN_MEMORY = 200;
/** The engine has 32 bits of address space, and its own code needs some. */
const MEMORY_BYTES_MAX = 3_000_000_000;
/**
 * The log is folded into the database when a row group is full, which the engine compresses as a
 * whole: one that is not is read, taken apart and made anew with the next log, and that takes 150
 * MB more of memory, which never comes back. Whoever inserts ends a batch there; where it does
 * not, the log grows up to these bounds.
 */
const CHECKPOINT_SPANS_MAX = 2 * ROW_GROUP_SPANS;
const CHECKPOINT_LOG_BYTES = 96_000_000;

export async function openDatabase(request: OpenRequest): Promise<Database> {
  const { path, readOnly, anySchema, wasmPath } = request;
  const dataBytes = path === undefined ? request.keep.spansMax * SPAN_BYTES_IN_MEMORY : 0;
  const memoryBytesMax = Math.min(WORKING_BYTES_MAX + dataBytes, MEMORY_BYTES_MAX);
  const target = path === undefined ? {} : { path };
  const engine = await openEngine({ wasmPath, readOnly, memoryBytesMax, ...target });
  const writer = engine.connect();
  const reader = engine.connect();
  const slices = readOnly ? undefined : prepareTables(writer, request, engine.version);
  // From here on no statement can loosen what the engine was told at its start.
  writer.run("SET lock_configuration = true");
  const spans = slices?.spans ?? countSpans(writer);
  if (readOnly && !anySchema) checkForReading(writer);
  const keeper = createKeeper(engine, writer, slices);
  keeper.checkpoint();
  return {
    opened: { engineVersion: engine.version, spans, rows: slices?.rows ?? 0 },
    insert: (batch) => keeper.insert(batch),
    query: (query, turn, isCancelled) => runQuery(engine, reader, query, turn, isCancelled),
    exec: (sql) => {
      writer.run(sql);
      engine.files.syncLog();
    },
    checkpoint: () => keeper.checkpoint(),
    [Symbol.dispose]: () => {
      if (slices !== undefined) {
        setFacts(writer, { clean_shutdown: "true" });
        keeper.checkpoint();
      }
      engine[Symbol.dispose]();
    },
  };
}

interface Keeper {
  insert(batch: InsertRequest): Inserted;
  checkpoint(): void;
}

function createKeeper(engine: Engine, writer: Connection, slices: Slices | undefined): Keeper {
  const { files } = engine;
  const run = runOn(writer);
  let spansInLog = 0;
  let usedBytes = 0;
  const checkpoint = () => {
    if (slices === undefined) return;
    files.whileAlone(() => {
      run("CHECKPOINT");
      files.syncAndEmptyLog();
      spansInLog = 0;
      usedBytes = readUsedBytes(writer);
    });
  };
  /** The batch before it is stored, whatever happens here. */
  const upkeep = (): Partial<Inserted> => {
    try {
      const expired = slices?.expire(usedBytes + files.logBytes()) ?? 0;
      const isWhole = spansInLog > 0 && (slices?.rows ?? 0) % ROW_GROUP_SPANS === 0;
      const isDue = isWhole || spansInLog >= CHECKPOINT_SPANS_MAX ||
        files.logBytes() >= CHECKPOINT_LOG_BYTES;
      if (isDue || expired > 0) checkpoint();
      return { expired };
    } catch (error) {
      // What is not fatal (a query that runs forbids a checkpoint) is tried again next time.
      return isFatal(error) ? { broken: plainReason(error) } : {};
    }
  };
  return {
    checkpoint,
    insert: (batch) => {
      if (slices === undefined) throw new Error("Cannot insert spans: the store is read-only");
      // A time far in the future is an error, which must not make all the rest look old.
      const latestNs = BigInt(Date.now()) * 1_000_000n + MINUTE;
      const newestNs = batch.newestNs < latestNs ? batch.newestNs : latestNs;
      const slice = slices.current(newestNs);
      let noteRemoved = () => {};
      atomically(run, () => {
        if (batch.revised) {
          run("TRUNCATE revised");
          writer.insert("revised", batch.revised, "temp");
          noteRemoved = slices.removeRevised(batch.revisedFromNs);
        }
        if (batch.spans) writer.insert(sliceTable("spans", slice.number), batch.spans);
        if (batch.candidates) {
          writer.insert(sliceTable("link_candidates", slice.number), batch.candidates);
        }
      });
      files.syncLog();
      noteRemoved();
      slice.spans += batch.spanCount;
      slice.rows += batch.spanCount;
      spansInLog += batch.spanCount;
      if (newestNs > slice.newestNs) slice.newestNs = newestNs;
      return { expired: 0, ...upkeep(), spans: slices.spans, rows: slices.rows };
    },
  };
}
