// SPDX-License-Identifier: Apache-2.0
// `compare`: the options of the command. What it does is in ../../compare/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { type AssemblyFlags, assemblyFlags } from "../options/assembly_flags.ts";
import { parsePointInTime } from "../options/point_in_time.ts";

export interface CompareFlags extends AssemblyFlags {
  readonly db: string;
  readonly since?: bigint;
  readonly until?: bigint;
  readonly json?: boolean;
}

export const compareCommand = buildCommand<CompareFlags, [], CliContext>({
  loader: async () => (await import("../../compare/compare_command.ts")).compareCommand,
  parameters: {
    flags: {
      db: {
        kind: "parsed",
        parse: String,
        brief: "DuckDB file written by trace --db",
        placeholder: "file",
      },
      ...assemblyFlags,
      since: {
        kind: "parsed",
        parse: (text: string) => parsePointInTime(text),
        brief: "Spans that start at or after this time, as 10m (ago) or 2026-01-31T12:00:00Z",
        placeholder: "time",
        optional: true,
      },
      until: {
        kind: "parsed",
        parse: (text: string) => parsePointInTime(text),
        brief: "Spans that start before this time",
        placeholder: "time",
        optional: true,
      },
      json: {
        kind: "boolean",
        brief: "The same as JSON",
        optional: true,
        withNegated: false,
      },
    },
  },
  docs: {
    brief: "Assemble stored spans by other rules, and say what would be different",
    customUsage: [
      { input: "--db spans.duckdb --threshold 0.95", brief: "were only sure links drawn" },
      { input: "--db spans.duckdb --without-rule identity", brief: "were there no ids" },
      {
        input: "--db spans.duckdb --without-rule handoff,handback --json",
        brief: "for other programs",
      },
    ],
    fullDescription:
      `Assembles the traces of a --db file twice: as they are shown, and with what is asked
for; nothing is changed in the file. Tells how many spans have another parent, by
which rules, which traces fell apart or grew together, and an example of each.`,
  },
});
