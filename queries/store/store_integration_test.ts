// SPDX-License-Identifier: Apache-2.0
// The store in memory, with the real engine.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { Candidate } from "../../model/link.ts";
import type { Span, SpanRevision } from "../../model/span.ts";
import { FIXTURE_START_NS, makeSpan } from "./span_fixture.ts";
import { readSpans } from "./read_spans.ts";
import { openStore, type Store } from "./store.ts";

/** A span of one millisecond at a time, with nothing about it but what a test wants. */
function spanAt(id: number, ms: number, changes: Partial<Span> = {}): SpanRevision {
  const start = FIXTURE_START_NS + BigInt(ms) * 1_000_000n;
  const times = { start_unix_ns: start, end_unix_ns: start + 2_500_000n };
  const span = makeSpan(1, { span_id: BigInt(id), parent_span_id: null, ...times, ...changes });
  return { span, candidates: [] };
}

function withCandidate(revision: SpanRevision, parent: number): SpanRevision {
  const candidate: Candidate = {
    span_id: revision.span.span_id,
    parent_id: BigInt(parent),
    evidence: "thread",
    score: 0.5,
    rank: 0,
    votes: "thread=0.5",
    among: 2,
  };
  return { ...revision, candidates: [candidate] };
}

const HTTP = {
  name: "http",
  fields: {
    "url.path": { type: "string", doc: "path" },
    "size": { type: "number", doc: "size" },
    "cached": { type: "boolean", doc: "from a cache" },
  },
} as const;

Deno.test("store: spans go in, SQL comes out, users can only read", async (t) => {
  await using store = await openStore({ protocols: [HTTP], facts: { host: "web" } });
  await t.step("values of every type survive, with views by protocol", () => everyType(store));
  await t.step("spans are read back as they were made", () => readBack(store));
  await t.step("the last revision wins, in a batch and across them", () => lastRevision(store));
  await t.step("parameters are values, never SQL", () => parametersAreValues(store));
  await t.step("host and versions are told", () => factsAreTold(store));
  for (const [sql, reason] of Object.entries(REFUSED)) {
    await t.step(`refused: ${sql}`, () => rejects(store.query(sql), reason));
  }
  await t.step("an endless query ends, and inserts go on meanwhile", () => endlessQuery(store));
  await t.step("rows are bounded, and the cut is told", () => boundedRows(store));
});

async function everyType(store: Store): Promise<void> {
  const path = 'a "quoted" \\ path,}\nümläut 🎈';
  const attributes = { "url.path": path, size: 12.5, cached: true, other: "x" };
  const id = 2n ** 64n - 1n;
  const more = { response_code: 200, request_seq: null, response_seq: 5, clipped: true };
  const http = { span_id: id, protocol: "http", attributes, ...more };
  const outcome = await store.insertSpans([spanAt(1, 0, http)]);
  deepEqual(outcome, { stored: 1, dropped: 0, expired: 0 });
  const [row] = (await store.query(
    `SELECT span_id, hex_id(span_id) AS hex, response_code, request_seq, response_seq, clipped,
       start_time, duration_ms, "url.path", "size", "cached" FROM span_http`,
  )).rows();
  deepEqual(row, {
    span_id: id,
    hex: "ffffffffffffffff",
    ...more,
    start_time: "2023-11-14T22:13:20.000000Z",
    duration_ms: 2.5,
    "url.path": path,
    size: 12.5,
    cached: true,
  });
}

async function readBack(store: Store): Promise<void> {
  const made = [0, 1, 2].map((n) => makeSpan(500_000 + n));
  await store.insertSpans(made.map((span) => ({ span, candidates: [] })));
  const sql = "SELECT * FROM spans WHERE start_unix_ns >= ? ORDER BY start_unix_ns";
  const read = readSpans(await store.query(sql, [made[0]?.start_unix_ns ?? 0n]));
  const unlike = { link_confidence: 0, cgroup_id: 0n, peer_socket_id: 0n };
  const alike = (span: Span) => ({ ...span, ...unlike });
  deepEqual(read.map(alike), made.map(alike));
  ok(
    read.every((span, i) =>
      Math.abs(span.link_confidence - (made[i]?.link_confidence ?? 9)) < 1e-6
    ),
  );
}

async function lastRevision(store: Store): Promise<void> {
  await store.insertSpans([
    withCandidate(spanAt(10, 1), 5),
    withCandidate(spanAt(10, 1, { revision: 1, parent_span_id: 6n }), 6),
    spanAt(11, 2),
  ]);
  await store.insertSpans([withCandidate(spanAt(11, 2, { revision: 1, status: "reset" }), 8)]);
  await store.insertSpans([withCandidate(spanAt(11, 2, { revision: 2, status: "timeout" }), 9)]);
  const spans = await store.query(
    "SELECT span_id, revision, parent_span_id, status FROM spans WHERE span_id < 100 ORDER BY 1",
  );
  deepEqual(spans.rows(), [
    { span_id: 10n, revision: 1, parent_span_id: 6n, status: "ok" },
    { span_id: 11n, revision: 2, parent_span_id: null, status: "timeout" },
  ]);
  const candidates = await store.query("SELECT parent_id FROM link_candidates ORDER BY 1");
  deepEqual(Array.from(candidates.column("parent_id")), [6n, 9n]);
}

async function parametersAreValues(store: Store): Promise<void> {
  const found = await store.query(
    "SELECT count(*) AS n FROM spans WHERE span_id IN ($2, $3) AND status <> $1 -- $9 ?",
    ["x' OR '1'='1", 10n, 11],
  );
  equal(found.rows()[0]?.["n"], 2n);
  await rejects(store.query("SELECT ?", []), /needs 1 parameters, 0 given/);
}

async function factsAreTold(store: Store): Promise<void> {
  const facts = (await store.query("SELECT key, value FROM store_meta")).rows();
  ok(facts.some(({ key, value }) => key === "host" && value === "web"));
}

const REFUSED: Readonly<Record<string, RegExp>> = {
  "drop table store_meta": /queries only read/,
  "insert into store_meta values ('a', 'b')": /queries only read/,
  "select 1; drop view spans": /more than one statement/,
  "select * from read_csv('/etc/passwd')": /disabled/,
  "copy spans to '/tmp/x.csv'": /queries only read/,
  "attach '/tmp/x.db'": /queries only read/,
  "set memory_limit = '3GB'": /queries only read/,
  "explain analyze drop table store_meta": /read-only/,
  "  -- nothing": /it is empty/,
  "selec 1": /Cannot run SELEC/,
  "select nothing from spans": /nothing/,
};

const ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) " +
  "SELECT max(n) FROM r";

async function endlessQuery(store: Store): Promise<void> {
  const query = store.query(ENDLESS, [], { timeoutMs: 400 });
  equal((await store.insertSpans([spanAt(1000, 1000)])).stored, 1);
  await rejects(query, /longer than 0.4 s/);
  const stop = new AbortController();
  const cancelled = store.query(ENDLESS, [], { signal: stop.signal });
  await store.insertSpans([spanAt(1001, 1001)]);
  stop.abort();
  await rejects(cancelled, /cancelled/);
  const stored = await store.query("SELECT span_id FROM spans WHERE span_id IN (1000, 1001)");
  equal(stored.rowCount, 2);
}

async function boundedRows(store: Store): Promise<void> {
  const result = await store.query("SELECT i FROM range(9) r(i)", [], { rowsMax: 3 });
  equal(result.rowCount, 3);
  equal(result.rows().length, 3);
  equal(result.truncated, true);
  const twice = await store.query("SELECT 1 AS a, 2 AS a, 3.5 AS b, TIMESTAMP '2026-01-02' AS t");
  deepEqual(twice.rows(), [{ a: 1, a_1: 2, b: 3.5, t: "2026-01-02T00:00:00.000000Z" }]);
  deepEqual(twice.columns.map(({ kind }) => kind), ["integer", "integer", "number", "timestamp"]);
}

Deno.test("dates are days; now() is UTC without a zone, as start_time is", async () => {
  await using store = await openStore();
  const sql = "SELECT DATE '2026-01-31' AS day, NULL::DATE AS none, " +
    "typeof(now() - INTERVAL 10 MINUTE) AS type, current_date = now()::DATE AS today";
  const result = await store.query(sql);
  deepEqual(result.rows(), [{ day: "2026-01-31", none: null, type: "TIMESTAMP", today: true }]);
});
