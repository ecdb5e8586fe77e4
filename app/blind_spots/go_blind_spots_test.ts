// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { goBlindSpots } from "./go_blind_spots.ts";

Deno.test("Go blind spots: what cannot be told of programs that have spans", () => {
  const gap = "it is not for x86-64";
  const programs = [
    { tgids: [10, 11], exe: "/usr/bin/shop", gaps: [gap] },
    { tgids: [20], exe: "/usr/bin/idle", gaps: [gap] },
    { tgids: [30], exe: "/usr/bin/whole", gaps: [] },
  ];
  const spans = new Map([[10, 3], [11, 4], [30, 5]]);
  assert.deepEqual(goBlindSpots(programs, spans), [
    { reason: `a Go program: ${gap}`, service: "shop", count: 7, traces: null },
  ]);
});
