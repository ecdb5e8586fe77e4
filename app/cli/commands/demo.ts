// SPDX-License-Identifier: Apache-2.0
// `demo`: the options of the command. What it does is in ../../demo/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { parseDuration } from "../options/duration.ts";
import { wholeNumber } from "../options/numbers.ts";

export interface DemoFlags {
  readonly duration: number;
  readonly rate: number;
  readonly db?: string;
}

export const demoCommand = buildCommand<DemoFlags, [], CliContext>({
  loader: async () => (await import("../../demo/demo.ts")).demo,
  parameters: {
    flags: {
      duration: {
        kind: "parsed",
        parse: parseDuration,
        brief: "How long load is driven through the shop",
        placeholder: "time",
        default: "8s",
      },
      rate: {
        kind: "parsed",
        parse: wholeNumber(1, 1_000),
        brief: "Requests per second",
        placeholder: "n",
        default: "40",
      },
      db: {
        kind: "parsed",
        parse: String,
        brief: "Keep the spans in this DuckDB file, too",
        placeholder: "file",
        optional: true,
      },
    },
  },
  docs: {
    brief: "Start a small shop, trace it, show its map and slowest trace",
    fullDescription:
      `Starts nginx, a Node service, a Python service, Redis, PostgreSQL and dnsmasq from
the packages of this machine, on free ports of loopback and in a temporary folder;
drives load through them; traces them without changing any; prints the service map
and the slowest trace; stops and removes everything it started.`,
  },
});
