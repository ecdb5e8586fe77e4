// SPDX-License-Identifier: Apache-2.0
// `explain`: the options of the command. What it does is in ../../explain/.

import { buildCommand } from "@stricli/core";
import { parseId } from "../../explain/explain_id.ts";
import type { CliContext } from "../context.ts";
import { type AssemblyFlags, assemblyFlags } from "../options/assembly_flags.ts";
import { databaseFlag } from "../options/stored_span_flags.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface ExplainFlags extends AssemblyFlags {
  readonly db: string;
  readonly json?: boolean;
  readonly trace?: boolean;
}

export const explainCommand = buildCommand<ExplainFlags, [id: string], CliContext>({
  loader: async () => (await import("../../explain/explain_command.ts")).explainCommand,
  parameters: {
    flags: {
      db: databaseFlag,
      json: switchFlag("One JSON object per span"),
      trace: switchFlag("With the id of a span: all of its trace"),
      ...assemblyFlags,
    },
    positional: {
      kind: "tuple",
      parameters: [{ parse: parseId, brief: "Trace id or span id, in hex", placeholder: "ID" }],
    },
  },
  docs: {
    brief: "Say why each span of a trace hangs where it hangs",
    customUsage: [
      { input: "--db spans.duckdb 4bf92f3577b34da6a3ce929d0e0e4736", brief: "a whole trace" },
      { input: "--db spans.duckdb a3ce929d0e0e4736", brief: "one span" },
      {
        input: "--db spans.duckdb --without-rule identity 4bf92f3577b34da6a3ce929d0e0e4736",
        brief: "as if no ids had been in the bytes",
      },
    ],
    fullDescription:
      `Tells for every span its parent, what that rests on, how sure it is, how far it is
ahead of the next best parent, and what else it could have been. Spans whose
parent is uncertain are told apart, below the others.

The ids are those of waterfalls, of sql (hex_id(span_id)) and of export.`,
  },
});
