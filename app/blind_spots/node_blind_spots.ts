// SPDX-License-Identifier: Apache-2.0
// Node programs that were to say for which request they write, and do not: a row each, with their
// spans, which may lack their links for it.

import type { NodeSeen } from "../../operators/sources/coroutines/node/node_watch.ts";
import type { BlindSpot } from "./blind_spots.ts";

/** `spans`: how many each process has, by its id. Programs without any are left out. */
export function nodeBlindSpots(
  programs: readonly NodeSeen[],
  spans: ReadonlyMap<number, number>,
): BlindSpot[] {
  return programs.flatMap(({ tgid, exe, gap }) => {
    const count = spans.get(tgid) ?? 0;
    if (count === 0 || gap === "") return [];
    const service = exe.slice(exe.lastIndexOf("/") + 1);
    const reason = `a Node program does not say for which request it calls: ${gap}`;
    return [{ reason, service, count, traces: null }];
  });
}
