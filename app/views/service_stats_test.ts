// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { OTHER_SERVICES, ServiceStats } from "./service_stats.ts";
import { FIXTURE_START_NS, makeRevision } from "./span_fixture.ts";

const second = 1_000_000_000n;

Deno.test("requests are counted per second, with errors and quantiles, calls apart", () => {
  const stats = new ServiceStats();
  for (let i = 0; i < 100; i++) {
    const nowNs = BigInt(i) * second / 10n;
    stats.add(makeRevision({ span_id: BigInt(i), status: i < 10 ? "server_error" : "ok" }), nowNs);
    stats.add(
      makeRevision({ span_id: BigInt(1000 + i), kind: "client", protocol: "redis" }),
      nowNs,
    );
    stats.add(makeRevision({ span_id: BigInt(i), revision: 1 }), nowNs);
  }
  const [row] = stats.rows(10n * second);
  assert.equal(row?.service, "orders");
  assert.equal(row.protocols, "http,redis");
  assert.equal(row.requestsPerS, 10);
  assert.equal(row.callsPerS, 10);
  assert.equal(row.errors, 0.1);
  assert.equal(row.total, 200);
  assert.ok(Math.abs((row.p50Ns ?? 0) - 5e6) < 0.05 * 5e6);
});

Deno.test("what is older than a minute no longer counts", () => {
  const stats = new ServiceStats();
  for (let i = 0; i < 60; i++) stats.add(makeRevision({ span_id: BigInt(i) }), 0n);
  assert.equal(stats.rows(30n * second)[0]?.requestsPerS, 2);
  assert.equal(stats.rows(61n * second)[0]?.requestsPerS, 0);
  assert.equal(stats.rows(61n * second)[0]?.p50Ns, null);
  for (let i = 0; i < 600; i++) {
    stats.add(makeRevision({ span_id: BigInt(i + 100) }), BigInt(i) * second);
  }
  assert.ok(Math.abs((stats.rows(600n * second)[0]?.requestsPerS ?? 0) - 1) < 0.1);
});

Deno.test("services beyond the limit are counted together", () => {
  const stats = new ServiceStats();
  for (let i = 0; i < 1_000; i++) {
    const start_unix_ns = FIXTURE_START_NS;
    stats.add(makeRevision({ span_id: BigInt(i), service: `s${i}`, start_unix_ns }), 0n);
  }
  const rows = stats.rows(second);
  assert.equal(rows.length, 257);
  assert.equal(rows.find(({ service }) => service === OTHER_SERVICES)?.total, 1_000 - 256);
});
