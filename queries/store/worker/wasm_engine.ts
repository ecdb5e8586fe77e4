// SPDX-License-Identifier: Apache-2.0
// DuckDB as WebAssembly, cut down to what the store needs. Synchronous; runs inside the worker.
//
// A query runs in steps of about 20 ms, so that inserts get their turn between them and a query
// can be given up. Not so its planning: one huge constant expression is computed in one go.

import os from "node:os";
import type * as duckdb from "@duckdb/duckdb-wasm/blocking";
import { type FileLayer, logPath, openFileLayer } from "./file_layer.ts";

export interface EngineOptions {
  /** Path of the .wasm file. */
  readonly wasmPath: string;
  /** Database file, absent for memory. */
  readonly path?: string;
  readonly readOnly: boolean;
  readonly memoryBytesMax: number;
}

export interface Engine extends Disposable {
  readonly version: string;
  readonly files: FileLayer;
  connect(): Connection;
  /** Lexical tokens of a text: start offsets and kinds. */
  tokenize(sql: string): readonly Token[];
}

export interface Token {
  readonly start: number;
  readonly kind: "identifier" | "number" | "text" | "operator" | "keyword" | "comment";
}

export interface Connection {
  /** Runs statements to the end and returns the last result as an Arrow IPC stream. */
  run(sql: string): Uint8Array;
  /** Appends an Arrow IPC stream to a table by column position. */
  insert(table: string, ipc: Uint8Array, schema?: "main" | "temp"): void;
  /** Runs one statement in steps; leaving the loop early cancels it. First value: the schema. */
  steps(sql: string): Generator<Uint8Array | null, void, void>;
}

/** In memory, tables live in a catalog of their own, because only an attached one compresses. */
const MEMORY_CATALOG = "store";

/** The engine's word for "a file of the operating system". */
const NATIVE_FILE = 1;
const POLL_MS = 20;
const TOKEN_KINDS = ["identifier", "number", "text", "operator", "keyword", "comment"] as const;

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { path, readOnly } = options;
  const pkg = await loadPackage();
  const files = openFileLayer(pkg, path, readOnly);
  const bundle = { mainModule: options.wasmPath, mainWorker: "" };
  const db = await pkg.createDuckDB(
    { mvp: bundle, eh: bundle },
    new pkg.VoidLogger(),
    files.runtime,
  );
  Object.assign(db, { instantiateWasm: instantiator(options, files) });
  await db.instantiate();
  // The log must be known by name before the database is opened, or it is not replayed.
  if (path !== undefined) db.registerFileURL(logPath(path), logPath(path), NATIVE_FILE, true);
  db.open(configOf(options));
  const first = connectTo(db);
  for (const statement of settings(options)) first.run(statement);
  return {
    version: db.getVersion(),
    files,
    connect: () => {
      const connection = connectTo(db);
      if (path === undefined) connection.run(`USE ${MEMORY_CATALOG}`);
      return connection;
    },
    tokenize: (sql) => {
      const { offsets, types } = db.tokenize(sql);
      return offsets.map((start, i) => ({ start, kind: TOKEN_KINDS[types[i] ?? 0] ?? "operator" }));
    },
    [Symbol.dispose]: () => {
      db.reset();
      files[Symbol.dispose]();
    },
  };
}

/** The package counts processors when it is loaded, for globs that never run: none are needed. */
async function loadPackage(): Promise<typeof duckdb> {
  os.cpus = () => [];
  return await import("@duckdb/duckdb-wasm/blocking");
}

/** Bytes of memory beyond those that the engine accounts for: its own code's, and fragments. */
const UNACCOUNTED_BYTES = 300_000_000;

/**
 * Takes the place of the package's own way to start, to bound the memory as a whole: constant
 * expressions are computed outside of the engine's limit, and what has grown never shrinks.
 */
function instantiator({ wasmPath, memoryBytesMax }: EngineOptions, files: FileLayer) {
  return (
    imports: WebAssembly.Imports,
    ready: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => {
    Object.assign(globalThis, { DUCKDB_RUNTIME: { ...files.runtime } });
    const env = imports["env"];
    const grow = env?.["emscripten_resize_heap"];
    if (env === undefined || typeof grow !== "function") {
      throw new Error("Cannot bound the engine's memory: it asks for none");
    }
    const bytesMax = memoryBytesMax + UNACCOUNTED_BYTES;
    env["emscripten_resize_heap"] = (bytes: number) => bytes >>> 0 > bytesMax ? 0 : grow(bytes);
    WebAssembly.instantiate(Deno.readFileSync(wasmPath), imports)
      .then(({ instance, module }) => ready(instance, module));
    return [];
  };
}

function configOf({ path, readOnly }: EngineOptions): duckdb.DuckDBConfig {
  const query = { queryPollingInterval: POLL_MS, castDecimalToDouble: true };
  if (path === undefined) return { path: ":memory:", query };
  // 2 and 3 are READ_ONLY and READ_WRITE of an enum that only exists once the package is loaded.
  return { path, query, accessMode: readOnly ? 2 : 3, useDirectIO: true };
}

/**
 * The first setting matters most: without it any use of json or parquet waits for a download
 * for ever. Checkpoints are the store's, because the engine neither syncs nor truncates.
 */
function settings({ path, memoryBytesMax }: EngineOptions): string[] {
  return [
    "SET custom_extension_repository = 'data:,'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    `SET memory_limit = '${Math.round(memoryBytesMax / 1e6)}MB'`,
    "SET temp_directory = ''",
    "SET wal_autocheckpoint = '1TB'",
    ...(path === undefined ? [`ATTACH ':memory:' AS ${MEMORY_CATALOG} (COMPRESS)`] : []),
    "SET enable_external_access = false",
  ];
}

type Bindings = Awaited<ReturnType<typeof duckdb.createDuckDB>>;

function connectTo(db: Bindings): Connection {
  const id = db.connect().useUnsafe((_, conn) => conn);
  return {
    run: (sql) => db.runQuery(id, sql),
    insert: (table, ipc, schema = "main") =>
      db.insertArrowFromIPCStream(id, ipc, { name: table, schema, create: false }),
    *steps(sql) {
      let isOpen = true;
      try {
        let head = db.startPendingQuery(id, sql, true);
        while (head === null) {
          yield null;
          head = db.pollPendingQuery(id);
        }
        yield head;
        for (;;) {
          const chunk = db.fetchQueryResults(id);
          if (chunk?.length === 0) break;
          yield chunk;
        }
        isOpen = false;
      } finally {
        if (isOpen) db.cancelPendingQuery(id);
      }
    },
  };
}
