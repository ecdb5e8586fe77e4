// SPDX-License-Identifier: Apache-2.0
// How right links are on recordings of real programs: 150 requests of one client, then 3,000 of 64
// clients, or about 700 of as many as the name ends in. Where the share that must be right is low,
// no evidence at hand decides more: the rest is told as uncertain. What is drawn must be right.

import assert from "node:assert/strict";
import { linkAll, scoreLinks } from "./link_score.ts";
import { readRecordedRun } from "./recorded_run.ts";

const expected = [
  { name: "asyncio_at_8", rightPercent: 97, wrongPercent: 0.1 },
  { name: "asyncio_at_64", rightPercent: 95, wrongPercent: 0.1 },
  { name: "asyncio_pool_4", rightPercent: 94, wrongPercent: 0.1 },
  { name: "asyncio_pool_4_at_8", rightPercent: 94, wrongPercent: 0.1 },
  { name: "asyncio_pool_4_at_64", rightPercent: 10, wrongPercent: 0.7 },
  { name: "asyncio_pool_64", rightPercent: 93, wrongPercent: 0.1 },
  { name: "asyncio_pool_64_at_8", rightPercent: 97, wrongPercent: 0.1 },
  { name: "asyncio_pool_64_at_64", rightPercent: 94, wrongPercent: 0.1 },
  { name: "asyncio_uvloop_at_64", rightPercent: 99.9, wrongPercent: 0 },
  { name: "deno_at_8", rightPercent: 75, wrongPercent: 1.5 },
  { name: "deno_at_64", rightPercent: 10, wrongPercent: 0.6 },
  { name: "go_at_64", rightPercent: 99.9, wrongPercent: 0 },
  { name: "go_fan_out_at_8", rightPercent: 99.9, wrongPercent: 0 },
  { name: "go_fan_out_at_64", rightPercent: 99.9, wrongPercent: 0 },
  { name: "go_fan_out_at_256", rightPercent: 99.9, wrongPercent: 0 },
  { name: "go_pools_at_64", rightPercent: 99, wrongPercent: 0 },
  { name: "go_pools_growing_at_64", rightPercent: 96, wrongPercent: 0 },
  { name: "go_workers_at_64", rightPercent: 99.9, wrongPercent: 0 },
  { name: "haproxy_node_at_8", rightPercent: 99.9, wrongPercent: 0 },
  { name: "haproxy_node_at_64", rightPercent: 92, wrongPercent: 0.1 },
  { name: "java_async_at_8", rightPercent: 66, wrongPercent: 0.1 },
  { name: "java_async_at_64", rightPercent: 25, wrongPercent: 0.1 },
  { name: "java_handoff_at_8", rightPercent: 99, wrongPercent: 0.1 },
  { name: "java_handoff_at_64", rightPercent: 99, wrongPercent: 0.1 },
  { name: "java_handoff_at_256", rightPercent: 99, wrongPercent: 0.1 },
  { name: "java_same_at_64", rightPercent: 99.9, wrongPercent: 0 },
  { name: "nginx_node_at_64", rightPercent: 99.9, wrongPercent: 0 },
  { name: "node_at_64", rightPercent: 97, wrongPercent: 0.1 },
  { name: "node_clients_at_8", rightPercent: 96, wrongPercent: 0.1 },
  { name: "node_clients_at_64", rightPercent: 80, wrongPercent: 0.1 },
  { name: "node_clients_at_256", rightPercent: 84, wrongPercent: 0.1 },
  { name: "node_fan_out_at_8", rightPercent: 95, wrongPercent: 0.1 },
  { name: "node_fan_out_at_64", rightPercent: 88, wrongPercent: 0.1 },
  { name: "node_fan_out_at_256", rightPercent: 50, wrongPercent: 0.1 },
  { name: "node_pool_4", rightPercent: 95, wrongPercent: 0.1 },
  { name: "node_pool_4_at_8", rightPercent: 97, wrongPercent: 0.1 },
  { name: "node_pool_4_at_64", rightPercent: 94, wrongPercent: 0.1 },
  { name: "node_pool_4_at_256", rightPercent: 93, wrongPercent: 0.1 },
  { name: "node_pool_64", rightPercent: 91, wrongPercent: 0.1 },
  { name: "node_pool_64_at_64", rightPercent: 97, wrongPercent: 0.1 },
  { name: "node_pool_64_at_256", rightPercent: 95, wrongPercent: 0.1 },
  { name: "python_threads", rightPercent: 99.9, wrongPercent: 0 },
  { name: "python_workers_8", rightPercent: 96, wrongPercent: 0.1 },
  { name: "python_workers_at_8", rightPercent: 98, wrongPercent: 0.1 },
  { name: "python_workers_at_64", rightPercent: 96, wrongPercent: 0.1 },
  { name: "python_workers_reader_at_8", rightPercent: 94, wrongPercent: 0.1 },
  { name: "python_workers_reader_at_64", rightPercent: 92, wrongPercent: 0.1 },
  { name: "python_workers_reader_at_256", rightPercent: 92, wrongPercent: 0.1 },
] as const;

for (const { name, rightPercent, wrongPercent } of expected) {
  Deno.test(`links of ${name}, recorded`, async () => {
    const { events, truth } = await readRecordedRun(name);
    const { calls, right, wrong } = scoreLinks(linkAll(events), truth);
    const told = `${right} right, ${wrong} wrong of ${calls}`;
    assert.ok(calls > 800, told);
    assert.ok(100 * right / calls >= rightPercent, told);
    assert.ok(100 * wrong / (right + wrong) <= wrongPercent, told);
  });
}
