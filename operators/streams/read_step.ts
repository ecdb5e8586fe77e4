// SPDX-License-Identifier: Apache-2.0
// One call of a protocol's reader: the only place where what readers throw is caught.

import { Clipped, type Cursor, Malformed, Truncated } from "../wire/cursor.ts";
import type { Fields, Make, Step, Way } from "../wire/protocol.ts";
import type { AnyProtocol } from "../wire/registry.ts";

/**
 * A step; or, as a number above 0, how many bytes from where the cursor stood must have passed
 * before it makes sense to read again; or one of the reasons below.
 */
export type ReadResult = Step | number;

export const READ_CLIPPED = 0;
export const READ_MALFORMED = -1;
/** The reader failed by itself: a bug, whose error `readerError` returns. */
export const READ_FAILED = -2;

let failed: unknown = null;

export function readStep(
  protocol: AnyProtocol,
  cursor: Cursor,
  way: Way,
  make: Make<Fields>,
  state: unknown,
): ReadResult {
  try {
    return protocol.read(cursor, way, make, state);
  } catch (error) {
    if (error instanceof Truncated) return Math.max(1, error.needBytes);
    if (error instanceof Clipped) return READ_CLIPPED;
    if (error instanceof Malformed) return READ_MALFORMED;
    failed = error;
    return READ_FAILED;
  }
}

/** The error behind the last READ_FAILED. */
export function readerError(): unknown {
  return failed;
}
