// SPDX-License-Identifier: Apache-2.0
// How right links are on recordings of real programs: 150 requests of one client, then 3,000 of 64
// clients. Python asyncio and Node with connection pools of 64 and 4, a thread per connection, and
// a reader with eight workers.

import assert from "node:assert/strict";
import { linkAll, scoreLinks } from "./link_score.ts";
import { readRecordedRun } from "./recorded_run.ts";

const expected = [
  { name: "asyncio_pool_64", rightPercent: 99.5, wrongPercent: 0.1 },
  { name: "asyncio_pool_4", rightPercent: 94, wrongPercent: 3 },
  { name: "node_pool_64", rightPercent: 99, wrongPercent: 0.1 },
  { name: "node_pool_4", rightPercent: 99.5, wrongPercent: 0.1 },
  { name: "python_threads", rightPercent: 99.9, wrongPercent: 0 },
  { name: "python_workers_8", rightPercent: 99.5, wrongPercent: 0.1 },
] as const;

for (const { name, rightPercent, wrongPercent } of expected) {
  Deno.test(`links of ${name}, recorded`, async () => {
    const { events, truth } = await readRecordedRun(name);
    const { calls, right, wrong } = scoreLinks(linkAll(events), truth);
    const told = `${right} right, ${wrong} wrong of ${calls}`;
    assert.ok(calls > 4_000, told);
    assert.ok(100 * right / calls >= rightPercent, told);
    assert.ok(100 * wrong / (right + wrong) <= wrongPercent, told);
  });
}
