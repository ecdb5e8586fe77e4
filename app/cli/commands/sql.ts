// SPDX-License-Identifier: Apache-2.0
// `sql`: the options of the command. What it does is in ../../sql/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { parseDuration } from "../options/duration.ts";
import { databaseFlag } from "../options/stored_span_flags.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface SqlFlags {
  readonly db: string;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly timeout: number;
}

export const sqlCommand = buildCommand<SqlFlags, [statement?: string], CliContext>({
  loader: async () => (await import("../../sql/sql.ts")).sql,
  parameters: {
    flags: {
      db: databaseFlag,
      json: switchFlag("One JSON object per row"),
      csv: switchFlag("Comma-separated values with a header"),
      timeout: {
        kind: "parsed",
        parse: parseDuration,
        brief: "Give a statement up after this time",
        placeholder: "time",
        default: "30s",
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{
        parse: String,
        brief: "Statement; without it, a prompt",
        placeholder: "STATEMENT",
        optional: true,
      }],
    },
  },
  docs: {
    brief: "Ask the spans of a --db file in SQL",
    customUsage: [
      '--db spans.duckdb "SELECT service, count(*) FROM spans GROUP BY 1"',
      {
        input: "--db spans.duckdb --csv \"FROM spans WHERE status <> 'ok'\"",
        brief: "for a spreadsheet",
      },
      { input: "--db spans.duckdb", brief: "a prompt with history, .tables and .schema" },
    ],
    fullDescription:
      `Runs one read-only statement and prints its rows as a table. There is no access to
other files, nothing can be changed, and a statement is given up after --timeout.`,
  },
});
