// SPDX-License-Identifier: Apache-2.0
// The tables of a store at its opening: made if new, checked if old, facts noted, slices found.

import { tableFromIPC } from "@uwdata/flechette";
import type { OpenRequest } from "./messages.ts";
import {
  baseStatements,
  CREATE_REVISED,
  createProtocolView,
  quoteText,
  SCHEMA_VERSION,
} from "../schema.ts";
import {
  atomically,
  openSlices,
  type Run,
  type Slice,
  sliceFacts,
  sliceNumber,
  type Slices,
} from "./slices.ts";
import type { Connection } from "./wasm_engine.ts";

/** Makes the tables of a new store, checks those of an old one, and finds its slices. */
export function prepareTables(
  writer: Connection,
  request: OpenRequest,
  engineVersion: string,
): Slices {
  const run = runOn(writer);
  const tables = select(writer, "SELECT table_name FROM duckdb_tables()");
  if (tables.length > 0 && !tables.some(({ table_name }) => table_name === "store_meta")) {
    throw new Error("it is a DuckDB database with other tables; give another path");
  }
  run("BEGIN TRANSACTION");
  for (const statement of baseStatements()) run(statement);
  const facts = new Map(
    select(writer, "SELECT key, value FROM store_meta").map(
      ({ key, value }) => [String(key), String(value)],
    ),
  );
  checkVersion(facts.get("schema_version"), "or give another path");
  run("COMMIT");
  run(CREATE_REVISED);
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

/** Refuses what has not the tables of this version, which only `sql` can make something of. */
export function checkForReading(connection: Connection): void {
  const [version] = select(
    connection,
    "SELECT value FROM store_meta WHERE key = 'schema_version'",
  );
  checkVersion(String(version?.["value"]), "or read it by sql");
}

function checkVersion(version: string | undefined, otherwise: string): void {
  if (version === undefined || version === String(SCHEMA_VERSION)) return;
  throw new Error(
    `it holds schema version ${version}, this program writes ${SCHEMA_VERSION}; ` +
      `export it with the version that wrote it, ${otherwise}`,
  );
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
    rows: Number(row["rows"]),
  }));
}

export function setFacts(writer: Connection, facts: Readonly<Record<string, string>>): void {
  const rows = Object.entries(facts).map(([key, value]) =>
    `(${quoteText(key)}, ${quoteText(value)})`
  );
  const keys = Object.keys(facts).map(quoteText).join(", ");
  atomically(runOn(writer), () => {
    writer.run(`DELETE FROM store_meta WHERE key IN (${keys})`);
    writer.run(`INSERT INTO store_meta VALUES ${rows.join(", ")}`);
  });
}

/** Statements that change rows answer with one row: `Count`. */
export function runOn(connection: Connection): Run {
  return (sql) => {
    const ipc = connection.run(sql);
    return sql.startsWith("DELETE") ? Number(tableFromIPC(ipc).at(0)?.Count ?? 0) : 0;
  };
}

/** Size of the data without free blocks: the file itself may stay as large as it once was. */
export function readUsedBytes(connection: Connection): number {
  const sql = `SELECT
    (SELECT sum(used_blocks * block_size)::DOUBLE FROM pragma_database_size()) +
    (SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE')
    AS bytes`;
  return Number(select(connection, sql)[0]?.["bytes"] ?? 0);
}

export function countSpans(connection: Connection): number {
  const views = select(connection, "SELECT 1 FROM duckdb_views() WHERE view_name = 'spans'");
  if (views.length === 0) throw new Error("it is a DuckDB database without spans");
  return Number(select(connection, "SELECT count(*) AS n FROM spans")[0]?.["n"] ?? 0);
}

function select(connection: Connection, sql: string): Record<string, unknown>[] {
  return tableFromIPC(connection.run(sql), { useBigInt: true }).toArray();
}
