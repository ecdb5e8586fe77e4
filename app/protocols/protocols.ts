// SPDX-License-Identifier: Apache-2.0
// What `protocols` does.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { ProtocolsFlags } from "../cli/commands/protocols.ts";

export function protocols(this: CliContext, _flags: ProtocolsFlags): Promise<void> {
  throw new Refusal("Cannot protocols: this build does not hold that part");
}
