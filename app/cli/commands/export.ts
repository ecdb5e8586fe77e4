// SPDX-License-Identifier: Apache-2.0
// `export`: the options of the command. What it does is in ../../export/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { parsePointInTime } from "../options/point_in_time.ts";

export const EXPORT_FORMATS = ["json", "otlp", "chrome"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

export interface ExportFlags {
  readonly db: string;
  readonly format: ExportFormat;
  readonly since?: bigint;
  readonly until?: bigint;
  readonly output?: string;
}

export const exportCommand = buildCommand<ExportFlags, [], CliContext>({
  loader: async () => (await import("../../export/export.ts")).exportTraces,
  parameters: {
    flags: {
      db: {
        kind: "parsed",
        parse: String,
        brief: "DuckDB file written by trace --db",
        placeholder: "file",
      },
      format: {
        kind: "enum",
        values: EXPORT_FORMATS,
        brief: "json: a span per line; otlp: OTLP/JSON; chrome: for Perfetto",
        default: "json",
      },
      since: {
        kind: "parsed",
        parse: (text: string) => parsePointInTime(text),
        brief: "Traces that start at or after this time, as 10m (ago) or 2026-01-31T12:00:00Z",
        placeholder: "time",
        optional: true,
      },
      until: {
        kind: "parsed",
        parse: (text: string) => parsePointInTime(text),
        brief: "Traces that start before this time",
        placeholder: "time",
        optional: true,
      },
      output: {
        kind: "parsed",
        parse: String,
        brief: "File to write (default: standard output)",
        placeholder: "file",
        optional: true,
      },
    },
  },
  docs: {
    brief: "Write the assembled traces of a --db file for other tools",
    customUsage: [
      { input: "--db spans.duckdb --format json", brief: "one span per line, with trace_id" },
      { input: "--db spans.duckdb --format otlp --since 10m", brief: "for any OTLP receiver" },
      { input: "--db spans.duckdb --format chrome --output trace.json", brief: "for Perfetto" },
    ],
  },
});
