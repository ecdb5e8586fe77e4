// SPDX-License-Identifier: Apache-2.0
// Reads of what is good to know but not needed: they end quietly where the bytes of a frame do.

import { Clipped, Malformed } from "./cursor.ts";

/** Reads as far as bytes go and make sense. The cursor must be inside a frame. */
export function attempt(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Clipped) && !(error instanceof Malformed)) throw error;
  }
}
