// SPDX-License-Identifier: Apache-2.0
// `decode`: the options of the command. What it does is in ../../decode/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { protocolFileFlag } from "../options/protocol_file_flag.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface DecodeFlags {
  readonly pcap?: string;
  readonly perPacket?: boolean;
  readonly json?: boolean;
  readonly protocol?: string;
  readonly mask?: boolean;
  readonly protocolFile?: readonly string[];
}

export const decodeCommand = buildCommand<DecodeFlags, [file?: string], CliContext>({
  loader: async () => (await import("../../decode/decode.ts")).decode,
  parameters: {
    flags: {
      pcap: {
        kind: "parsed",
        parse: String,
        brief: "The same as FILE",
        placeholder: "file",
        optional: true,
      },
      perPacket: switchFlag(
        "Take packets one by one as they stand in the file, without TCP reassembly",
      ),
      json: switchFlag("One JSON object per message and line"),
      protocol: {
        kind: "parsed",
        parse: (text: string) => text.toLowerCase(),
        brief: "Read everything as this protocol (default: find out)",
        placeholder: "name",
        optional: true,
      },
      protocolFile: protocolFileFlag,
      mask: switchFlag("Mask values that may be secret, as trace does"),
    },
    positional: {
      kind: "tuple",
      parameters: [{
        parse: String,
        brief: "Capture file, pcap or pcapng; - for standard input",
        placeholder: "FILE",
        optional: true,
      }],
    },
  },
  docs: {
    brief: "Print every message found in a capture file",
    customUsage: [
      { input: "traffic.pcapng", brief: "what was said, in order" },
      { input: "--json --protocol mysql traffic.pcap", brief: "for machines" },
    ],
  },
});
