// SPDX-License-Identifier: Apache-2.0
// What could not be told of Go programs, as blind spots: a row per program and reason, with the
// spans of its processes, which may lack their links for it.

import type { GoSeen } from "../../operators/sources/coroutines/go_watch.ts";
import type { BlindSpot } from "./blind_spots.ts";

/** `spans`: how many each process has, by its id. Programs without any are left out. */
export function goBlindSpots(
  programs: readonly GoSeen[],
  spans: ReadonlyMap<number, number>,
): BlindSpot[] {
  return programs.flatMap(({ exe, tgids, gaps }) => {
    const count = tgids.reduce((sum, tgid) => sum + (spans.get(tgid) ?? 0), 0);
    if (count === 0) return [];
    const service = exe.slice(exe.lastIndexOf("/") + 1);
    return gaps.map((gap) => ({ reason: `a Go program: ${gap}`, service, count, traces: null }));
  });
}
