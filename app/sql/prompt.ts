// SPDX-License-Identifier: Apache-2.0
// The prompt of `sql`: statements over several lines, history, completion, dot commands.

import { createInterface, type Interface } from "node:readline";
import process from "node:process";
import { describeTables, type TableDoc } from "../../queries/store/schema.ts";
import type { Store } from "../../queries/store/store.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { parseId } from "../explain/explain_id.ts";
import { explainStored } from "../explain/explain_stored.ts";
import { explanationLines } from "../explain/explanation_lines.ts";
import { completeWord } from "./complete_word.ts";

export interface PromptOptions {
  readonly store: Store;
  readonly path: string;
  /** Runs one statement and prints its rows. */
  readonly run: (statement: string) => Promise<boolean>;
}

const HISTORY_LINES_MAX = 500;

/** Resolves when the user leaves. */
export async function openPrompt({ store, path, run }: PromptOptions): Promise<void> {
  const tables = await tablesOf(store);
  const isTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const lines = createInterface({
    input: process.stdin,
    output: isTerminal ? process.stdout : undefined,
    terminal: isTerminal,
    historySize: HISTORY_LINES_MAX,
    history: readHistory(),
    completer: (line: string) => completeWord(line, tables),
    prompt: "sql> ",
  });
  if (isTerminal) console.log(`${path}, read-only. End statements with ; and see .help\n`);
  let statement = "";
  const ask = () => {
    if (!isTerminal) return;
    lines.setPrompt(statement === "" ? "sql> " : "...> ");
    lines.prompt();
  };
  lines.on("SIGINT", () => {
    if (statement === "" && lines.line === "") return lines.close();
    statement = "";
    console.log("^C");
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
    ask();
  });
  ask();
  for await (const line of lines) {
    const word = statement === "" ? line.trim() : "";
    if (word === ".quit" || word === ".exit" || word === "quit" || word === "exit") break;
    if (word.startsWith(".explain")) console.log(await explanationOf(word, store));
    else if (word.startsWith(".")) {
      console.log(dotCommand(word, tables));
    } else {
      statement += `${line}\n`;
      if (/;\s*$/.test(statement)) {
        await run(statement);
        statement = "";
      } else if (statement.trim() === "") statement = "";
    }
    ask();
  }
  if (statement.trim() !== "") await run(statement);
  if (isTerminal) writeHistory(lines);
  lines.close();
}

/** What the file holds, with the documentation of the columns that we know. */
async function tablesOf(store: Store): Promise<TableDoc[]> {
  const known = new Map(describeTables().map((table) => [table.name, table]));
  const found = await store.query(
    `SELECT table_name, column_name, data_type FROM information_schema.columns
     WHERE NOT regexp_matches(table_name, '_slice_[0-9]+$') ORDER BY table_name, ordinal_position`,
  );
  const tables = new Map<string, TableDoc & { columns: TableDoc["columns"][number][] }>();
  for (const row of found.rows()) {
    const [name, column] = [String(row["table_name"]), String(row["column_name"])];
    const table = tables.get(name) ?? { name, doc: known.get(name)?.doc ?? "", columns: [] };
    const docs = known.get(name)?.columns ?? known.get("spans")?.columns ?? [];
    const doc = docs.find((other) => other.name === column)?.doc ?? "";
    table.columns.push({ name: column, type: String(row["data_type"]), doc });
    tables.set(name, table);
  }
  return [...tables.values()];
}

function dotCommand(line: string, tables: readonly TableDoc[]): string {
  const [command, name] = line.split(/\s+/);
  switch (command) {
    case ".tables":
      return tables.map((table) => `${table.name.padEnd(24)}${table.doc}`.trimEnd()).join("\n");
    case ".schema": {
      const shown = tables.filter((table) => name === undefined || table.name === name);
      if (shown.length === 0) return `Cannot show ${name}: there is no such table; see .tables`;
      return shown.map(schemaOf).join("\n\n");
    }
    case ".help":
      return HELP;
    default:
      return `Cannot run ${command}: there is no such command; see .help`;
  }
}

/** Why the spans of a trace hang where they hang, or one span. */
async function explanationOf(line: string, store: Store): Promise<string> {
  const id = line.split(/\s+/)[1] ?? "";
  try {
    const { trace, spanId, explanationOf } = await explainStored(store, parseId(id));
    const paint = paintFor(Deno.stdout.isTerminal(), (name) => Deno.env.get(name));
    const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : WIDTH;
    const only = id.length === 16 ? { only: spanId } : {};
    return explanationLines(trace, explanationOf, { paint, width, ...only }).join("\n");
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.startsWith("Cannot ") ? message : `Cannot explain "${id}": ${message}`;
  }
}

const WIDTH = 100;

function schemaOf({ name, doc, columns }: TableDoc): string {
  const lines = columns.map((column) =>
    `  ${column.name.padEnd(22)}${column.type.padEnd(11)}${column.doc}`.trimEnd()
  );
  return [`${name}${doc === "" ? "" : `: ${doc}`}`, ...lines].join("\n");
}

const HELP = `Statements end with ; and only read. Tab completes tables, columns and words of SQL.
.tables          what there is to ask
.schema [table]  its columns
.explain ID      why the spans of a trace hang where they hang; a trace id or a span id
.quit            leave (or Ctrl-D)`;

function historyPath(): string | undefined {
  const home = Deno.env.get("HOME");
  return home === undefined ? undefined : `${home}/.spandrel_sql_history`;
}

function readHistory(): string[] {
  const path = historyPath();
  try {
    return path === undefined ? [] : Deno.readTextFileSync(path).split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** A home that cannot be written to is no reason to complain. */
function writeHistory(lines: Interface): void {
  const path = historyPath();
  const history = (lines as Interface & { readonly history?: readonly string[] }).history ?? [];
  try {
    if (path === undefined) return;
    const text = history.slice(0, HISTORY_LINES_MAX).join("\n");
    Deno.writeTextFileSync(path, `${text}\n`, { mode: 0o600 });
  } catch {
    return;
  }
}
