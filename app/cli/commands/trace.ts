// SPDX-License-Identifier: Apache-2.0
// `trace`: the options of the command. What it does is in ../../trace/.

import { buildCommand } from "@stricli/core";
import { completeInList } from "../options/complete_in_list.ts";
import type { CliContext } from "../context.ts";
import type { ServiceRule } from "../../../operators/enrichment/service_name.ts";
import { parseServiceRule } from "../options/service_rule.ts";
import { type CaptureFlags, captureFlags } from "../options/capture_flags.ts";
import { KEEP_IN_MEMORY, parseKeep } from "../../../queries/store/keep.ts";
import { protocolFileFlag } from "../options/protocol_file_flag.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface TraceFlags extends CaptureFlags {
  readonly protocol?: readonly string[];
  readonly service?: readonly ServiceRule[];
  readonly json?: boolean;
  readonly db?: string;
  readonly keep?: string;
  readonly keepPayload?: boolean;
  readonly unmask?: readonly string[];
  readonly protocolFile?: readonly string[];
  readonly tui?: boolean;
  readonly showGraph?: boolean;
  readonly pipeline?: string;
  readonly replay?: string;
  readonly pcap?: string;
  readonly spans?: string;
  readonly output?: string;
}

export const traceCommand = buildCommand<TraceFlags, [], CliContext>({
  loader: async () => (await import("../../trace/trace.ts")).trace,
  parameters: {
    flags: {
      ...captureFlags,
      protocol: {
        kind: "parsed",
        parse: (text: string) => text.toLowerCase(),
        proposeCompletions: async (partial: string) =>
          completeInList(partial, await protocolNames()),
        brief: "Show spans of these protocols only, as http,redis",
        placeholder: "name",
        variadic: ",",
        optional: true,
      },
      service: {
        kind: "parsed",
        parse: parseServiceRule,
        brief: "Name a service, as shop=comm:node,argument:shop.js (exe, container, unit too)",
        placeholder: "rule",
        variadic: true,
        optional: true,
      },
      json: switchFlag("One span per line as JSON on standard output, and nothing else"),
      db: {
        kind: "parsed",
        parse: String,
        brief: "Keep spans in this DuckDB file (default: in memory)",
        placeholder: "file",
        optional: true,
      },
      keep: {
        kind: "parsed",
        parse: checkKeep,
        brief: "Keep spans up to an age, size or count (default: 15m,1M; with --db 24h,10GB)",
        placeholder: "bounds",
        optional: true,
      },
      keepPayload: switchFlag("Mask no values, and keep the bytes of messages: secrets included"),
      unmask: {
        kind: "parsed",
        parse: (text: string) => text.toLowerCase(),
        brief: "Mask no values of these protocols, as mysql,redis",
        placeholder: "name",
        variadic: ",",
        optional: true,
      },
      protocolFile: protocolFileFlag,
      tui: {
        kind: "boolean",
        brief: "Live view; off: plain lines (default: live on a terminal)",
        optional: true,
      },
      showGraph: switchFlag("Print the dataflow graph with rates at the end"),
      pipeline: {
        kind: "parsed",
        parse: String,
        brief: "TypeScript file whose default export takes the flow of spans",
        placeholder: "file",
        optional: true,
      },
      replay: {
        kind: "parsed",
        parse: String,
        brief: "Read a recording instead of this host",
        placeholder: "file",
        optional: true,
      },
      pcap: {
        kind: "parsed",
        parse: String,
        brief: "Read a pcap or pcapng file instead of this host (no root needed)",
        placeholder: "file",
        optional: true,
      },
      spans: {
        kind: "parsed",
        parse: String,
        brief: "OTLP/JSON file with spans of applications, joined by the ids in headers",
        placeholder: "file",
        optional: true,
      },
      output: {
        kind: "parsed",
        parse: String,
        brief: "Write lines, spans or waterfalls to this file",
        placeholder: "file",
        optional: true,
      },
    },
  },
  docs: {
    brief: "Trace every service of this host, live",
    customUsage: [
      { input: "", brief: "live view of the whole host until q or Ctrl-C" },
      { input: "-- curl -s localhost:8080", brief: "waterfalls of what one command caused" },
      { input: "--json --duration 10s --protocol http,redis", brief: "spans for other programs" },
      { input: "--db spans.duckdb --keep 6h", brief: "keep spans for sql and export" },
      { input: "--pcap capture.pcapng", brief: "from packets that someone else captured" },
    ],
    fullDescription: `Shows what the services of this host ask of each other, without changing any
of them: requests, responses and their traces, taken from the system calls on
sockets.

With -- COMMAND it is strace for services: capture starts, the command runs, and
the waterfalls of the traces that it took part in go to standard error (or
--output). The exit code is the command's, 128+n if a signal killed it, 2 if
tracing could not start (then the command is not run).`,
  },
});

/** Which bounds are the default is known only with --db, so the text is kept as it is. */
function checkKeep(text: string): string {
  parseKeep(text, KEEP_IN_MEMORY);
  return text;
}

/** Loaded only to complete words: the command line itself starts without them. */
async function protocolNames(): Promise<string[]> {
  const { PROTOCOLS } = await import("../../../operators/protocols/registry.gen.ts");
  return PROTOCOLS.map(({ name }) => name);
}
