// SPDX-License-Identifier: Apache-2.0
// User queries only read. Four fences: this check of the text by the engine's own lexer, a
// read-only transaction, no external access, and a locked configuration.

import type { Token } from "./wasm_engine.ts";

const FIRST_WORDS = [
  "select",
  "with",
  "from",
  "values",
  "table",
  "describe",
  "desc",
  "show",
  "summarize",
  "explain",
  "pivot",
  "unpivot",
] as const;

/** What is wrong with a statement that should only read, or undefined. */
export function readOnlyProblem(sql: string, tokens: readonly Token[]): string | undefined {
  const words = tokens.filter(({ kind }) => kind !== "comment");
  const first = words.find(({ start }) => sql[start] !== "(");
  if (first === undefined) return "Cannot run the query: it is empty";
  const word = /^\w+/.exec(sql.slice(first.start))?.[0] ?? "";
  if (!FIRST_WORDS.some((allowed) => allowed === word.toLowerCase())) {
    return `Cannot run ${word.toUpperCase() || "this"}: queries only read; ` +
      `start with SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN`;
  }
  const end = words.findIndex(({ start, kind }) => kind === "operator" && sql[start] === ";");
  if (end >= 0 && words.slice(end).some(({ start }) => sql[start] !== ";")) {
    return "Cannot run the query: it is more than one statement; run them one by one";
  }
  return undefined;
}
