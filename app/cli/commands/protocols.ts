// SPDX-License-Identifier: Apache-2.0
// `protocols`: the options of the command. What it does is in ../../protocols/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";
import { switchFlag } from "../options/switch_flag.ts";

export interface ProtocolsFlags {
  readonly json?: boolean;
}

export const protocolsCommand = buildCommand<ProtocolsFlags, [], CliContext>({
  loader: async () => (await import("../../protocols/protocols.ts")).protocols,
  parameters: {
    flags: {
      json: switchFlag("The same as JSON"),
    },
  },
  docs: { brief: "List the protocols that are understood, with their fields" },
});
