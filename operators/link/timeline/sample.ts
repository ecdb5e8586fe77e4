// SPDX-License-Identifier: Apache-2.0
// Stretches of a long recording that are enough to learn from.

import type { ShapeCall, ShapeRequest } from "./shape/path.ts";

const stretchesCount = 8;

/** Requests after which a stretch begins at the latest, though others are still open. */
const quietWithin = 200;

/** All, or so many calls of evenly spread stretches. */
export function sample(
  requests: readonly ShapeRequest[],
  calls: readonly ShapeCall[],
  callsMax: number,
): { readonly requests: readonly ShapeRequest[]; readonly calls: readonly ShapeCall[] } {
  if (calls.length <= callsMax) return { requests, calls };
  const sorted = requests.toSorted((a, b) => a.startUs - b.startUs);
  const sortedCalls = calls.toSorted((a, b) => a.startUs - b.startUs);
  const length = Math.max(1, Math.floor(sorted.length * callsMax / calls.length / stretchesCount));
  const picked: ShapeRequest[] = [];
  const inside: ShapeCall[] = [];
  let from = 0;
  let call = 0;
  for (let i = 0; i < stretchesCount; i++) {
    from = quietFrom(sorted, Math.max(from, Math.floor(i * sorted.length / stretchesCount)));
    const stretch = sorted.slice(from, from + length);
    from += length;
    const startUs = stretch[0]?.startUs ?? Infinity;
    const endUs = stretch.reduce((latest, { endUs }) => Math.max(latest, endUs), startUs);
    for (const each of stretch) picked.push(each);
    for (; call < sortedCalls.length; call++) {
      const each = sortedCalls[call];
      if (each === undefined || each.startUs > endUs) break;
      if (each.startUs >= startUs) inside.push(each);
    }
  }
  return { requests: picked, calls: inside };
}

/** The next request that starts while no other is open. */
function quietFrom(sorted: readonly ShapeRequest[], from: number): number {
  let untilUs = -Infinity;
  for (let i = Math.max(0, from - quietWithin); i < from + quietWithin; i++) {
    const request = sorted[i];
    if (request === undefined) break;
    if (i >= from && request.startUs > untilUs) return i;
    untilUs = Math.max(untilUs, request.endUs);
  }
  return from;
}
