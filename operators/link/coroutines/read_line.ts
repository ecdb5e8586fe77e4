// SPDX-License-Identifier: Apache-2.0
// Requests that were read and not answered in whole, by connection, in order.

import { LIMITS } from "../../../model/limits.ts";
import type { Work } from "../program.ts";

/**
 * Bounded: the line begun first is forgotten first. Lines stay in place, because this runs for each
 * request, and a map that keys leave and enter again keeps what it held: see engine/hash_table.ts.
 */
export function joinReadLine<K>(lines: Map<K, Work[]>, key: K, work: Work): void {
  const line = lines.get(key);
  if (line !== undefined) {
    let open = 0;
    for (const each of line) if (each.endNs === Infinity) line[open++] = each;
    line[open] = work;
    while (line.length > open + 1) line.pop(); // to set the length would free what it holds
    return;
  }
  if (lines.size >= LIMITS.linkCoroutines.value) {
    const oldest = lines.keys().next();
    if (!oldest.done) lines.delete(oldest.value);
  }
  lines.set(key, [work]);
}
