// SPDX-License-Identifier: Apache-2.0
// Event-time windows over a keyed flow: tumbling (fixed slots) and session (closed by a gap).

import type { Nanos } from "./operator.ts";

/** Half-open: `startNs` belongs to the window, `endNs` does not. */
export interface WindowSpan {
  readonly startNs: Nanos;
  readonly endNs: Nanos;
}

export type Window =
  | { readonly kind: "tumbling"; readonly sizeNs: Nanos; readonly lateNs: Nanos }
  | { readonly kind: "session"; readonly gapNs: Nanos; readonly lateNs: Nanos };

/** Slots of equal size, aligned to time 0. A window closes `lateNs` after its end. */
export function tumbling(sizeNs: Nanos, lateNs: Nanos = 0n): Window {
  return { kind: "tumbling", sizeNs, lateNs };
}

/** Records of a key closer to each other than the gap. Closes when the gap has passed. */
export function session(gapNs: Nanos, lateNs: Nanos = 0n): Window {
  return { kind: "session", gapNs, lateNs };
}

/** How the records of one window become one result. */
export interface Fold<K, T, Acc, Out> {
  readonly start: () => Acc;
  /** Returns the accumulator, the same or a new one. */
  readonly add: (acc: Acc, record: T) => Acc;
  readonly result: (acc: Acc, key: K, window: WindowSpan) => Out;
  /** Needed by session windows, in which a late record can join two. */
  readonly merge?: (into: Acc, from: Acc) => Acc;
}
