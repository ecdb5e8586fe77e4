// SPDX-License-Identifier: Apache-2.0
// `protocols`: the options of the command. What it does is in ../../protocols/.

import { buildCommand } from "@stricli/core";
import type { CliContext } from "../context.ts";

export interface ProtocolsFlags {
  readonly json?: boolean;
}

export const protocolsCommand = buildCommand<ProtocolsFlags, [], CliContext>({
  loader: async () => (await import("../../protocols/protocols.ts")).protocols,
  parameters: {
    flags: {
      json: { kind: "boolean", brief: "The same as JSON", optional: true, withNegated: false },
    },
  },
  docs: { brief: "List the protocols that are understood, with their fields" },
});
