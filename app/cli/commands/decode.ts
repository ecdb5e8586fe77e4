// SPDX-License-Identifier: Apache-2.0
// `decode`: the options of the command. What it does is in ../../decode/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";

export interface DecodeFlags {
  readonly pcap: string;
  readonly perPacket?: boolean;
  readonly json?: boolean;
  readonly protocol?: string;
  readonly mask?: boolean;
  readonly protocolFile?: readonly string[];
}

export const decodeCommand = buildCommand<DecodeFlags, [], CliContext>({
  loader: async () => (await import("../../decode/decode.ts")).decode,
  parameters: {
    flags: {
      pcap: {
        kind: "parsed",
        parse: String,
        brief: "Capture file, pcap or pcapng; - for standard input",
        placeholder: "file",
      },
      perPacket: {
        kind: "boolean",
        brief: "Take packets one by one as they stand in the file, without TCP reassembly",
        optional: true,
        withNegated: false,
      },
      json: {
        kind: "boolean",
        brief: "One JSON object per message and line",
        optional: true,
        withNegated: false,
      },
      protocol: {
        kind: "parsed",
        parse: (text: string) => text.toLowerCase(),
        brief: "Read everything as this protocol (default: find out)",
        placeholder: "name",
        optional: true,
      },
      protocolFile: {
        kind: "parsed",
        parse: String,
        brief: "TypeScript or TOML file that defines one more protocol",
        placeholder: "file",
        variadic: ",",
        optional: true,
      },
      mask: {
        kind: "boolean",
        brief: "Mask values that may be secret, as trace does",
        optional: true,
        withNegated: false,
      },
    },
  },
  docs: {
    brief: "Print every message found in a capture file",
    customUsage: [
      { input: "--pcap traffic.pcapng", brief: "what was said, in order" },
      { input: "--pcap traffic.pcap --json --protocol mysql", brief: "for machines" },
    ],
  },
});
