// SPDX-License-Identifier: Apache-2.0
// Which decisions need no more evidence.

import type { Decision } from "../program.ts";

/** From this confidence on a call is decided when it ends, without waiting for more evidence. */
export const decisiveFrom = 0.95;

/** A rule of order alone never decides at once: what the response leads to may tell better. */
export function isDecisive({ confidence, byOrder }: Decision): boolean {
  return confidence >= decisiveFrom && !byOrder;
}
