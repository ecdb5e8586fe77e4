// SPDX-License-Identifier: Apache-2.0
// What the kernel lost since it was last asked, out of counters that only rise.

import type { KernelDrops } from "../../../ffi/capture.ts";
import type { LossFact } from "../records/host_fact.ts";

/** Returns a function that gives one fact per counter that rose since its last call. */
export function lossCounter(): (drops: KernelDrops) => LossFact[] {
  const before = new Map<string, bigint>();
  return (drops) =>
    Object.entries(drops).flatMap(([reason, total]) => {
      const count = Number(total - (before.get(reason) ?? 0n));
      before.set(reason, total);
      return count > 0 ? [{ fact: "loss", reason, count }] : [];
    });
}
