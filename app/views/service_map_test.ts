// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Span } from "../../model/span.ts";
import { plainPaint } from "../cli/terminal/style.ts";
import { RecentTraces } from "./recent_traces.ts";
import { ServiceMap } from "./service_map.ts";
import { serviceMapLines } from "./service_map_text.ts";
import { makeRevision } from "./span_fixture.ts";

/** One request that passes nginx and orders to redis and to a DNS server without a span. */
function sampleMap(requests: number): ServiceMap {
  const map = new ServiceMap();
  for (let i = 0; i < requests; i++) {
    const traces = new RecentTraces();
    const id = (n: number) => BigInt(i * 10 + n);
    const add = (n: number, parent: number | null, changes: Partial<Span>) =>
      traces.add(
        makeRevision({
          span_id: id(n),
          parent_span_id: parent === null ? null : id(parent),
          ...changes,
        }),
        0n,
      );
    add(1, null, { kind: "server", service: "nginx" });
    add(2, 1, { kind: "client", service: "nginx" });
    add(3, 2, { kind: "server", service: "orders", status: i === 0 ? "server_error" : "ok" });
    add(4, 3, { kind: "client", service: "orders", protocol: "redis" });
    add(5, 4, { kind: "server", service: "redis", protocol: "redis" });
    add(6, 3, {
      kind: "client",
      service: "orders",
      protocol: "dns",
      domain: "",
      peer: "1.1.1.1:53",
    });
    for (const trace of traces.unsettled()) map.add(trace);
  }
  return map;
}

Deno.test("each hop is an edge with calls and errors; unseen ends have edges, too", () => {
  const edges = sampleMap(4).edges().map(({ from, to, protocol, calls, errors }) => (
    { from, to, protocol, calls, errors }
  ));
  assert.deepEqual(edges, [
    { from: "orders", to: "1.1.1.1:53", protocol: "dns", calls: 4, errors: 0 },
    { from: "", to: "nginx", protocol: "http", calls: 4, errors: 0 },
    { from: "nginx", to: "orders", protocol: "http", calls: 4, errors: 1 },
    { from: "orders", to: "redis", protocol: "redis", calls: 4, errors: 0 },
  ]);
});

Deno.test("the map is a tree of boxes with aligned figures", () => {
  const lines = serviceMapLines(sampleMap(4).edges(), 2, plainPaint);
  assert.deepEqual(
    lines.map((line) => line.replace(/ p99 \S+/, "")),
    [
      "clients",
      "│    ┌───────┐",
      "└──▶ │ nginx │                   http   2.0/s  p50 5.09ms ",
      "     └┬──────┘",
      "      │    ┌────────┐",
      "      └──▶ │ orders │            http   2.0/s  p50 5.09ms   25.0% failed",
      "           └┬───────┘",
      "            │    ┌────────────┐",
      "            ├──▶ │ 1.1.1.1:53 │  dns    2.0/s  p50 5.09ms ",
      "            │    └────────────┘",
      "            │    ┌───────┐",
      "            └──▶ │ redis │       redis  2.0/s  p50 5.09ms ",
      "                 └───────┘",
    ].map((line) => line),
  );
});

Deno.test("circles end", () => {
  const edge = { protocol: "http", calls: 1, errors: 0, p50Ns: 1, p99Ns: 1 };
  const edges = [{ ...edge, from: "a", to: "b" }, { ...edge, from: "b", to: "a" }];
  assert.equal(serviceMapLines(edges, 1, plainPaint).length, 7);
});
