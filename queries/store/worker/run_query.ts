// SPDX-License-Identifier: Apache-2.0
// One query of a user: read-only, in steps, bounded in time, rows and bytes.

import { tableFromIPC } from "@uwdata/flechette";
import type { QueryParts, QueryRequest } from "./messages.ts";
import { readOnlyProblem } from "./guard.ts";
import type { Connection, Engine } from "./wasm_engine.ts";

/** Longest time in milliseconds that a query takes between two turns, as far as it has steps. */
const TURN_MS = 15;

/** Awaits `turn` between the steps; stops once `isCancelled`. */
export async function runQuery(
  engine: Engine,
  reader: Connection,
  { sql, timeoutMs, rowsMax, bytesMax }: QueryRequest,
  turn: () => Promise<void>,
  isCancelled: () => boolean,
): Promise<QueryParts> {
  const problem = readOnlyProblem(sql, engine.tokenize(sql));
  if (problem !== undefined) throw new Error(problem);
  const startMs = performance.now();
  const deadlineMs = startMs + timeoutMs;
  let nextTurnMs = startMs + TURN_MS;
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
      const nowMs = performance.now();
      if (nowMs < nextTurnMs) continue;
      await turn();
      nextTurnMs = performance.now() + TURN_MS;
      if (isCancelled()) throw new Error("Cannot finish the query: it was cancelled");
      if (nowMs > deadlineMs) {
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
