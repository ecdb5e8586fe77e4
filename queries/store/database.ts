// SPDX-License-Identifier: Apache-2.0
// The database inside the worker: opens or creates it, stores batches, answers queries.

import { tableFromIPC } from "@uwdata/flechette";
import { readOnlyProblem } from "./guard.ts";
import type { Inserted, InsertRequest, Opened, OpenRequest } from "./messages.ts";
import type { QueryParts, QueryRequest } from "./messages.ts";
import { isFatal, plainReason } from "./problems.ts";
import {
  baseStatements,
  createProtocolView,
  quoteText,
  SCHEMA_VERSION,
  sliceTable,
} from "./schema.ts";
import {
  atomically,
  openSlices,
  type Slice,
  sliceFacts,
  sliceNumber,
  type Slices,
} from "./slices.ts";
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

/** What the engine may hold in memory, data in memory included; the rest is its own code. */
const MEMORY_BYTES_MAX = 1_000_000_000;
/** The log is folded into the database after this many spans or bytes, whichever is first. */
const CHECKPOINT_SPANS = 120_000;
const CHECKPOINT_LOG_BYTES = 64_000_000;

export async function openDatabase(request: OpenRequest): Promise<Database> {
  const { path, readOnly, wasmPath } = request;
  const memoryBytesMax = MEMORY_BYTES_MAX;
  const target = path === undefined ? {} : { path };
  const engine = await openEngine({ wasmPath, readOnly, memoryBytesMax, ...target });
  const writer = engine.connect();
  const reader = engine.connect();
  const slices = readOnly ? undefined : prepare(writer, request, engine.version);
  // From here on no statement can loosen what the engine was told at its start.
  writer.run("SET lock_configuration = true");
  const rows = slices?.spans ?? countSpans(writer);
  const keeper = createKeeper(engine, writer, slices);
  keeper.checkpoint();
  return {
    opened: { engineVersion: engine.version, spans: rows },
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

/** Makes the tables of a new store, checks those of an old one, and finds its slices. */
function prepare(writer: Connection, request: OpenRequest, engineVersion: string): Slices {
  const run = (sql: string) => void writer.run(sql);
  run("BEGIN TRANSACTION");
  for (const statement of baseStatements()) run(statement);
  const facts = new Map(
    select(writer, "SELECT key, value FROM store_meta").map(
      ({ key, value }) => [String(key), String(value)],
    ),
  );
  const version = facts.get("schema_version");
  if (version !== undefined && version !== String(SCHEMA_VERSION)) {
    throw new Error(
      `it holds schema version ${version}, this program writes ${SCHEMA_VERSION}; ` +
        `export it with the version that wrote it, or give another path`,
    );
  }
  run("COMMIT");
  const nowNs = String(BigInt(Date.now()) * 1_000_000n);
  setFacts(writer, {
    created_unix_ns: facts.get("created_unix_ns") ?? nowNs,
    opened_unix_ns: nowNs,
    schema_version: String(SCHEMA_VERSION),
    engine_version: engineVersion,
    clean_shutdown: "false",
    ...request.facts,
  });
  const slices = openSlices(run, request.keep, findSlices(writer));
  slices.current(0n);
  for (const protocol of request.protocols) run(createProtocolView(protocol));
  return slices;
}

function findSlices(writer: Connection): Slice[] {
  const tables = select(writer, "SELECT table_name FROM duckdb_tables()");
  const numbers = tables.map(({ table_name }) => sliceNumber(String(table_name), "spans"))
    .filter((number) => number !== undefined).sort((a, b) => a - b);
  if (numbers.length === 0) return [];
  return select(writer, `${sliceFacts(numbers)} ORDER BY number`).map((row) => ({
    number: Number(row["number"]),
    sinceNs: BigInt(String(row["since_ns"] ?? 0)),
    newestNs: BigInt(String(row["newest_ns"] ?? 0)),
    spans: Number(row["spans"]),
  }));
}

interface Keeper {
  insert(batch: InsertRequest): Inserted;
  checkpoint(): void;
}

function createKeeper(engine: Engine, writer: Connection, slices: Slices | undefined): Keeper {
  const { files } = engine;
  const run = (sql: string) => void writer.run(sql);
  let spansInLog = 0;
  const checkpoint = () => {
    if (slices === undefined) return;
    files.whileAlone(() => {
      run("CHECKPOINT");
      files.syncAndEmptyLog();
      spansInLog = 0;
    });
  };
  /** The batch before it is stored, whatever happens here. */
  const upkeep = (): Partial<Inserted> => {
    try {
      const expired = slices?.expire(files.databaseBytes()) ?? 0;
      const isDue = spansInLog >= CHECKPOINT_SPANS || files.logBytes() >= CHECKPOINT_LOG_BYTES;
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
      const slice = slices.current(batch.newestNs);
      atomically(run, () => {
        if (batch.replaced.length > 0) slices.removeRevised(batch.replaced, batch.replacedFromNs);
        if (batch.spans) writer.insert(sliceTable("spans", slice.number), batch.spans);
        if (batch.candidates) {
          writer.insert(sliceTable("link_candidates", slice.number), batch.candidates);
        }
      });
      files.syncLog();
      slice.spans += batch.spanCount;
      spansInLog += batch.spanCount;
      if (batch.newestNs > slice.newestNs) slice.newestNs = batch.newestNs;
      return { expired: 0, ...upkeep() };
    },
  };
}

async function runQuery(
  engine: Engine,
  reader: Connection,
  { sql, timeoutMs, rowsMax, bytesMax }: QueryRequest,
  turn: () => Promise<void>,
  isCancelled: () => boolean,
): Promise<QueryParts> {
  const problem = readOnlyProblem(sql, engine.tokenize(sql));
  if (problem !== undefined) throw new Error(problem);
  const deadlineMs = performance.now() + timeoutMs;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let rows = 0;
  let bytes = 0;
  reader.run("BEGIN TRANSACTION READ ONLY");
  try {
    for (const part of reader.steps(sql)) {
      if (part !== null) {
        if (parts.length > 0) rows += tableFromIPC([parts[0] ?? part, part]).numRows;
        bytes += part.length;
        parts.push(part as Uint8Array<ArrayBuffer>);
        if (rows > rowsMax || bytes > bytesMax) return { parts, truncated: true };
      }
      await turn();
      if (isCancelled()) throw new Error("Cannot finish the query: it was cancelled");
      if (performance.now() > deadlineMs) {
        throw new Error(
          `Cannot finish the query: it runs longer than ${timeoutMs / 1000} s; ` +
            `narrow its time range (start_unix_ns) or aggregate less`,
        );
      }
    }
  } finally {
    reader.run("ROLLBACK");
  }
  return { parts, truncated: false };
}

function setFacts(writer: Connection, facts: Readonly<Record<string, string>>): void {
  const rows = Object.entries(facts).map(([key, value]) =>
    `(${quoteText(key)}, ${quoteText(value)})`
  );
  const keys = Object.keys(facts).map(quoteText).join(", ");
  atomically((sql) => void writer.run(sql), () => {
    writer.run(`DELETE FROM store_meta WHERE key IN (${keys})`);
    writer.run(`INSERT INTO store_meta VALUES ${rows.join(", ")}`);
  });
}

function countSpans(connection: Connection): number {
  return Number(select(connection, "SELECT count(*) AS n FROM spans")[0]?.["n"] ?? 0);
}

function select(connection: Connection, sql: string): Record<string, unknown>[] {
  return tableFromIPC(connection.run(sql), { useBigInt: true }).toArray();
}
