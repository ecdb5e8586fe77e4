// SPDX-License-Identifier: Apache-2.0
// `record`: the options of the command. What it does is in ../../record/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { type CaptureFlags, captureFlags } from "../options/capture_flags.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface RecordFlags extends CaptureFlags {
  readonly whole?: boolean;
}

export const recordCommand = buildCommand<RecordFlags, [string], CliContext>({
  loader: async () => (await import("../../record/record.ts")).record,
  parameters: {
    flags: {
      ...captureFlags,
      whole: switchFlag(
        "Copy all that passes, up to 256 KiB of each call, whatever the protocol",
      ),
    },
    positional: {
      kind: "tuple",
      parameters: [{ parse: String, brief: "Recording to write", placeholder: "FILE" }],
    },
  },
  docs: {
    brief: "Record what this host does, for trace --replay",
    customUsage: [
      { input: "day.spandrel --duration 30s", brief: "half a minute of the whole host" },
      { input: "shop.spandrel --comm nginx", brief: "one program, until Ctrl-C" },
      { input: "all.spandrel --whole --port 5432", brief: "all bytes, for export --format pcapng" },
    ],
    fullDescription:
      `Writes the raw records of the kernel to a file. trace --replay FILE makes the same
spans of it, byte for byte, on any machine and without root. The file can be read
while it grows. It holds the first bytes of every call, with --whole nearly all of them:
treat it as the traffic.`,
  },
});
