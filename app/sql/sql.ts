// SPDX-License-Identifier: Apache-2.0
// What `sql` does.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { SqlFlags } from "../cli/commands/sql.ts";

export function sql(this: CliContext, _flags: SqlFlags, _statement?: string): Promise<void> {
  throw new Refusal("Cannot sql: this build does not hold that part");
}
