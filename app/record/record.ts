// SPDX-License-Identifier: Apache-2.0
// What `record` does.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { RecordFlags } from "../cli/commands/record.ts";

export function record(this: CliContext, _flags: RecordFlags, _file: string): Promise<void> {
  throw new Refusal("Cannot record: this build does not hold that part");
}
