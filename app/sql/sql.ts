// SPDX-License-Identifier: Apache-2.0
// `sql`: one statement and its rows, or a prompt for many.

import { type CliContext, EXIT, Refusal } from "../cli/context.ts";
import type { SqlFlags } from "../cli/commands/sql.ts";
import { openForReading } from "../cli/open_for_reading.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { type RowFormat, rowsText } from "./rows_text.ts";
import { statementError } from "./statement_error.ts";

/** Rows that are fetched and printed at most. */
const ROWS_MAX = 100_000;

export async function sql(this: CliContext, flags: SqlFlags, statement?: string): Promise<void> {
  if (flags.json && flags.csv) throw new Refusal("Cannot print rows: choose --json or --csv");
  const { stdout, stderr } = this.process;
  const format: RowFormat = flags.json ? "json" : flags.csv ? "csv" : "table";
  const paint = paintFor(Deno.stdout.isTerminal(), (name) => Deno.env.get(name));
  await using store = await openForReading(flags.db, { anySchema: true });
  /** True when the statement could be run. */
  const run = async (text: string): Promise<boolean> => {
    try {
      const options = { timeoutMs: flags.timeout, rowsMax: ROWS_MAX };
      const result = await store.query(text, [], options);
      stdout.write(rowsText(result, format, paint));
      if (result.truncated) stderr.write(`Only the first ${result.rowCount} rows are shown.\n`);
      return true;
    } catch (error) {
      stderr.write(`${statementError(error instanceof Error ? error.message : `${error}`)}\n`);
      return false;
    }
  };
  if (statement !== undefined) {
    if (!await run(statement)) this.process.exitCode = EXIT.failed;
    return;
  }
  const { openPrompt } = await import("./prompt.ts");
  await openPrompt({ store, run, path: flags.db });
}
