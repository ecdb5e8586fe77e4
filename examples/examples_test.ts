// SPDX-License-Identifier: Apache-2.0
// Each example on spans made by hand: what goes in, and the lines that come out.
import assert from "node:assert/strict";
import { Flow, intoArray, MILLISECOND, run, SECOND, type Span } from "spandrel";
import { FIXTURE_START_NS, makeSpan } from "../app/views/span_fixture.ts";
import failedRequests from "./failed_requests.ts";
import slowSql from "./slow_sql.ts";
import statusCodes from "./status_codes.ts";

/** A span that ends so long after noon, and took so long. */
const span = (atMs: number, tookMs: number, changes: Partial<Span>): Span => {
  const end = FIXTURE_START_NS + BigInt(atMs) * MILLISECOND;
  return makeSpan({
    start_unix_ns: end - BigInt(tookMs) * MILLISECOND,
    end_unix_ns: end,
    ...changes,
  });
};

async function lines(
  pipeline: (spans: Flow<Span>) => Flow<unknown>,
  spans: readonly Span[],
): Promise<unknown[]> {
  const made: unknown[] = [];
  const flow = pipeline(Flow.from(spans, (each) => each.end_unix_ns));
  const running = run(flow.into(intoArray(made)));
  assert.equal(await running.finished, "done");
  assert.equal(running.deadLetters.total, 0);
  return made.map((each) => JSON.parse(JSON.stringify(each)));
}

Deno.test("slow_sql alerts once per statement and minute", async () => {
  const sql = (atMs: number, tookMs: number, endpoint: string, changes: Partial<Span> = {}) =>
    span(atMs, tookMs, {
      ...{ protocol: "postgresql", kind: "client", endpoint, resource: `${endpoint} …` },
      ...{ service: "orders", peer: "127.0.0.1:5432" },
      ...changes,
    });
  const made = await lines(slowSql, [
    sql(0, 99, "SELECT stock"),
    sql(1, 100, "SELECT orders"),
    sql(2, 100, "SELECT orders", { kind: "server" }),
    sql(3, 300, "UPDATE stock", { protocol: "mysql" }),
    sql(4, 300, "GET key", { protocol: "redis" }),
    sql(30_000, 250, "SELECT orders"),
    sql(40_000, 250, "SELECT orders"),
    sql(61_000, 1, "SELECT orders"),
    sql(62_000, 400, "SELECT orders"),
  ]);
  const from = { client: "orders", server: "127.0.0.1:5432" };
  assert.deepEqual(made, [
    { alert: "slow_sql", statement: "SELECT orders", ms: 100, ...from },
    { alert: "slow_sql", statement: "UPDATE stock", ms: 300, ...from },
    { alert: "slow_sql_again", statement: "SELECT orders", times: 2 },
    { alert: "slow_sql", statement: "SELECT orders", ms: 400, ...from },
  ]);
});

Deno.test("status_codes counts per endpoint and ten seconds, at the server's end", async () => {
  const made = await lines(statusCodes, [
    span(1_000, 5, {}),
    span(2_000, 5, {}),
    span(2_000, 5, { kind: "client" }),
    span(9_999, 5, { response_code: 503 }),
    span(9_999, 5, { endpoint: "/login", request_type: "POST" }),
    span(10_500, 5, { response_code: 404 }),
    span(9_800, 5, { response_code: 503 }), // late, but not too late
    span(30_000, 5, { response_code: null }),
  ]);
  assert.deepEqual(made, [
    {
      from: "2026-01-31T12:00:00.000Z",
      endpoint: "orders GET /orders/{id}",
      codes: { 200: 2, 503: 2 },
    },
    { from: "2026-01-31T12:00:00.000Z", endpoint: "orders POST /login", codes: { 200: 1 } },
    { from: "2026-01-31T12:00:10.000Z", endpoint: "orders GET /orders/{id}", codes: { 404: 1 } },
  ]);
  assert.equal(FIXTURE_START_NS % (10n * SECOND), 0n);
});

Deno.test("failed_requests writes a row for each failure of any protocol", async () => {
  const made = await lines(failedRequests, [
    span(10, 5, { status: "ok" }),
    span(20, 7, { status: "server_error", response_code: 500, span_id: 0xabcn }),
    span(30, 2, { status: "reset", response_code: null, protocol: "redis", name: "GET" }),
    span(40, 2, { status: "unknown" }),
  ]);
  assert.deepEqual(made[0], {
    time: "2026-01-31T12:00:00.013Z",
    span_id: "0000000000000abc",
    process: "node[100]",
    kind: "server",
    protocol: "http",
    name: "GET /orders/{id}",
    resource: "/orders/7",
    peer: "127.0.0.1:50000",
    status: "server_error",
    response_code: 500,
    ms: 7,
  });
  assert.equal(made.length, 2);
  assert.equal((made[1] as { status: string }).status, "reset");
});
