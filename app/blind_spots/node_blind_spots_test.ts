// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { nodeBlindSpots } from "./node_blind_spots.ts";

Deno.test("blind spots: Node programs that do not say for whom they write", () => {
  const seen = (tgid: number, gap: string) => ({ tgid, exe: "/usr/bin/node", gap });
  const programs = [seen(1, ""), seen(2, "it is Node v14"), seen(3, "it uses SIGUSR1")];
  const spots = nodeBlindSpots(programs, new Map([[1, 10], [2, 20]]));
  assert.deepEqual(spots.map(({ service, count }) => [service, count]), [["node", 20]]);
  assert.match(spots[0]?.reason ?? "", /Node v14/);
});
