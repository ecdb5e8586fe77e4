// SPDX-License-Identifier: Apache-2.0
// Watermarks of a source: the newest record less a lag, told at steps of event time.

import { MILLISECOND, type Nanos } from "../../model/time.ts";

/** Records of the kernel's ring are out of order by 25 µs at most; a millisecond is ample. */
export const CAPTURE_DISORDER_NS = MILLISECOND;

const STEP_NS = 10n * MILLISECOND;

/**
 * Returns a function to be called with the time of each record before the record is emitted. It
 * depends on the records alone, not on how many one drain takes, so replays repeat it exactly.
 */
export function watermarkSteps(
  lagNs: Nanos,
  advance: (watermarkNs: Nanos) => void,
): (recordNs: Nanos) => void {
  let dueNs: Nanos | null = null;
  return (recordNs) => {
    if (dueNs === null) dueNs = recordNs + STEP_NS;
    if (recordNs < dueNs) return;
    dueNs = recordNs + STEP_NS;
    advance(recordNs - lagNs);
  };
}
