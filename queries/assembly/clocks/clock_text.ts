// SPDX-License-Identifier: Apache-2.0
// A clock that differs, as a sentence.

import type { HostClock } from "./host_clocks.ts";

/** "clock of b is 312ms ahead of a (±0.2ms, by 40 requests): times are told by that of a" */
export function clockText(clock: HostClock, duration: (ns: bigint) => string): string {
  const { host, reference, aheadNs, errorNs, pairs } = clock;
  const size = duration(aheadNs < 0n ? -aheadNs : aheadNs);
  const way = aheadNs < 0n ? "behind" : "ahead of";
  const by = `±${duration(errorNs)}, by ${pairs} request${pairs === 1 ? "" : "s"}`;
  return `clock of ${host} is ${size} ${way} ${reference} (${by}): ` +
    `times are told by that of ${reference}`;
}
