// SPDX-License-Identifier: Apache-2.0
// `export`: the options of the command. What it does is in ../../export/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { type AssemblyFlags, assemblyFlags } from "../options/assembly_flags.ts";
import { type TimeRangeFlags, timeRangeFlags } from "../options/stored_span_flags.ts";

export const EXPORT_FORMATS = ["json", "otlp", "chrome", "pcapng"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

export interface ExportFlags extends AssemblyFlags, TimeRangeFlags {
  readonly db?: string;
  readonly replay?: string;
  readonly format: ExportFormat;
  readonly output?: string;
}

export const exportCommand = buildCommand<ExportFlags, [], CliContext>({
  loader: async () => (await import("../../export/export.ts")).exportTraces,
  parameters: {
    flags: {
      db: {
        kind: "parsed",
        parse: String,
        brief: "DuckDB file written by trace --db: what json, otlp and chrome are made of",
        placeholder: "file",
        optional: true,
      },
      replay: {
        kind: "parsed",
        parse: String,
        brief: "Recording written by record: what pcapng is made of",
        placeholder: "file",
        optional: true,
      },
      format: {
        kind: "enum",
        values: EXPORT_FORMATS,
        brief: "json: a span per line; otlp: OTLP/JSON; chrome: for Perfetto; pcapng: packets",
        default: "json",
      },
      ...timeRangeFlags,
      output: {
        kind: "parsed",
        parse: String,
        brief: "File to write (default: standard output)",
        placeholder: "file",
        optional: true,
      },
      ...assemblyFlags,
    },
  },
  docs: {
    brief: "Write traces, or the packets of a recording, for other tools",
    customUsage: [
      { input: "--db spans.duckdb --format json", brief: "one span per line, with trace_id" },
      { input: "--db spans.duckdb --format otlp --since 10m", brief: "for any OTLP receiver" },
      { input: "--db spans.duckdb --format chrome --output trace.json", brief: "for Perfetto" },
      { input: "--db spans.duckdb --threshold 0.95", brief: "only links that are this sure" },
      {
        input: "--replay day.spandrel --format pcapng --output day.pcapng",
        brief: "for Wireshark",
      },
      { input: "--replay day.spandrel --format pcapng | tshark -r -", brief: "straight to tshark" },
    ],
    fullDescription:
      `json, otlp and chrome write the assembled traces of a DuckDB file. pcapng writes what
programs wrote and read, which only a recording holds (record FILE --whole keeps most of
it), as TCP and UDP packets that Wireshark and tshark open:
- one interface per program, named as "nginx 71"; a comment on each packet tells process,
  thread and call. Data is there once though both ends were seen; the reader's call is the
  acknowledgement, so its round trip is the time from write to read.
- sequence numbers are the kernel's where known. Handshake and FIN are made up where the
  connection began and ended; a connection that is older has no handshake.
- what was not kept of a call is cut as by a snap length: Wireshark says so. What was lost
  is a missing segment.
- unix sockets are TCP at 127.64.0.0/10, a name record giving the path.
- TLS stays encrypted.`,
  },
});
