// SPDX-License-Identifier: Apache-2.0
// How right links are on recordings of the shapes beyond calls: 150 requests of one client, then
// several hundred of as many as the name ends in. Of nested programs and proxies, the outermost.
// What is uncertain today may become right; nothing may become wrong.

import assert from "node:assert/strict";
import { linkAll, scoreLinks } from "./link_score.ts";
import { readRecordedRun } from "./recorded_run.ts";

const expected: readonly (readonly [name: string, rightPercent: number, wrongPercent: number])[] = [
  ["asyncio_aiohttp_at_64", 99.9, 0.1],
  ["asyncio_background_at_8", 32, 4.1],
  ["asyncio_caches_at_8", 59, 2.9],
  ["asyncio_tasks_background_at_64", 62, 0.1],
  ["asyncio_tasks_leaving_at_64", 79, 0.1],
  ["asyncio_tasks_pool_4_at_64", 99.9, 0.1],
  ["go_background_at_64", 99.5, 0.1],
  ["go_grpc_at_64", 99.5, 0.1],
  ["go_http2_at_64", 99.5, 0.1],
  ["go_pipelined_at_8", 99.5, 0.1],
  ["haproxy_http2_at_64", 89, 0.5],
  ["haproxy_ids_at_8", 99.5, 0.3],
  ["nested_at_64", 96, 0.1],
  ["nginx_php_at_64", 97, 0.1],
  ["node_background_at_64", 72, 0.3],
  ["node_caches_at_64", 98, 0.1],
  ["node_dns_at_64", 90, 0.2],
  ["node_express_at_8", 88, 0.3],
  ["node_express_at_64", 52, 0.5],
  ["node_http2_at_8", 94, 0.3],
  ["node_http2_at_64", 70, 0.5],
  ["node_leaving_at_8", 76, 0.1],
  ["node_retries_at_8", 60, 0.5],
  ["node_streams_at_64", 78, 0.2],
  ["node_timers_at_64", 75, 0.1],
];

for (const [name, rightPercent, wrongPercent] of expected) {
  Deno.test(`links of ${name}, recorded`, async () => {
    const { events, truth } = await readRecordedRun(name);
    const { calls, right, wrong } = scoreLinks(linkAll(events), truth);
    const told = `${right} right, ${wrong} wrong of ${calls}`;
    assert.ok(calls > 700, told);
    assert.ok(100 * right / calls >= rightPercent, told);
    assert.ok(100 * wrong / Math.max(1, right + wrong) <= wrongPercent, told);
  });
}
