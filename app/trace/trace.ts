// SPDX-License-Identifier: Apache-2.0
// What `trace` does.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { TraceFlags } from "../cli/commands/trace.ts";

export function trace(this: CliContext, _flags: TraceFlags): Promise<void> {
  throw new Refusal("Cannot trace: this build does not hold that part");
}
