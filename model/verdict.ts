// SPDX-License-Identifier: Apache-2.0
// What user space tells the kernel to do with a socket.

import type { Connection } from "./connection.ts";

/**
 * "prefix": copy the first bytes of each call; "all": copy up to 16 KiB of each call, within the
 * budget; "whole": up to 256 KiB, within a larger budget; "count": record lengths without bytes;
 * "ignore": record nothing.
 */
export type Verdict = "prefix" | "all" | "whole" | "count" | "ignore";

export interface VerdictFor {
  readonly connection: Connection;
  readonly verdict: Verdict;
}
