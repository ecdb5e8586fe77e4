// SPDX-License-Identifier: Apache-2.0
// What `export` does.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { ExportFlags } from "../cli/commands/export.ts";

export function exportTraces(this: CliContext, _flags: ExportFlags): Promise<void> {
  throw new Refusal("Cannot export: this build does not hold that part");
}
