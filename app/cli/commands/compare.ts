// SPDX-License-Identifier: Apache-2.0
// `compare`: the options of the command. What it does is in ../../compare/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { type AssemblyFlags, assemblyFlags } from "../options/assembly_flags.ts";
import { databaseFlag, type TimeRangeFlags, timeRangeFlags } from "../options/stored_span_flags.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface CompareFlags extends AssemblyFlags, TimeRangeFlags {
  readonly db: string;
  readonly json?: boolean;
}

export const compareCommand = buildCommand<CompareFlags, [], CliContext>({
  loader: async () => (await import("../../compare/compare_command.ts")).compareCommand,
  parameters: {
    flags: {
      db: databaseFlag,
      ...assemblyFlags,
      ...timeRangeFlags,
      json: switchFlag("The same as JSON"),
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
