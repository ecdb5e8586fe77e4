// SPDX-License-Identifier: Apache-2.0
// What `demo` does.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { DemoFlags } from "../cli/commands/demo.ts";

export function demo(this: CliContext, _flags: DemoFlags): Promise<void> {
  throw new Refusal("Cannot demo: this build does not hold that part");
}
