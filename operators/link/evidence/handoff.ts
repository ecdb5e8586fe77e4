// SPDX-License-Identifier: Apache-2.0
// Evidence 5: workers take requests in the order in which they were read, so the first call of a
// worker's next task belongs to the oldest request that has no call yet. A hint: two workers that
// start at the same time may overtake each other.

import type { Call, Work } from "../program.ts";

export function nextInLine({ handed }: Call): Work | null {
  return handed;
}

/** The same on the way back: results are answered in the order in which they became ready. */
export function nextAnswered({ handedBack }: Call): Work | null {
  return handedBack;
}
