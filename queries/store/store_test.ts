// SPDX-License-Identifier: Apache-2.0
// The store in memory, with the real engine.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { Candidate } from "../../model/link.ts";
import type { Span, SpanRevision } from "../../model/span.ts";
import { KEEP_IN_MEMORY } from "./keep.ts";
import { openStore } from "./store.ts";

const BASE_NS = 1_700_000_000_000_000_000n;

/** A span that starts `ms` after the base time. */
function spanAt(id: number, ms: number, more: Partial<Span> = {}): SpanRevision {
  const start = BASE_NS + BigInt(ms) * 1_000_000n;
  const span: Span = {
    span_id: BigInt(id),
    parent_span_id: null,
    link_evidence: "",
    link_confidence: 0,
    revision: 0,
    kind: "server",
    observer: "process",
    protocol: "http",
    name: "GET /",
    request_type: "GET",
    resource: "/",
    domain: "shop",
    endpoint: "/",
    response_code: 200,
    status: "ok",
    shape: "exchange",
    request_id: null,
    start_unix_ns: start,
    end_unix_ns: start + 2_500_000n,
    first_byte_unix_ns: null,
    host: "web",
    pid: 1,
    tid: 1,
    process: "shop",
    exe: "/usr/bin/shop",
    service: "shop",
    container: "",
    cgroup_id: 0n,
    netns: 1,
    transport: "tcp",
    local: "10.0.0.1:80",
    peer: "10.0.0.2:4000",
    socket_id: 7n,
    peer_socket_id: 0,
    request_offset: 0,
    request_seq: null,
    response_seq: 5,
    trace_id_header: null,
    parent_id_header: null,
    x_request_id: null,
    bytes_request: 10,
    bytes_response: 20,
    is_tls: false,
    clipped: true,
    attributes: {},
    ...more,
  };
  return { span, candidates: [] };
}

function withCandidate(revision: SpanRevision, parent: number): SpanRevision {
  const candidate: Candidate = {
    span_id: revision.span.span_id,
    parent_id: BigInt(parent),
    evidence: "thread",
    score: 0.5,
    rank: 0,
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

Deno.test("store: what goes in comes out, and revisions replace what they revise", async (t) => {
  await using store = await openStore({ protocols: [HTTP], facts: { host: "web" } });

  await t.step("values of every type survive, with views by protocol", async () => {
    const path = 'a "quoted" \\ path,}\nümläut 🎈';
    const attributes = { "url.path": path, size: 12.5, cached: true, other: "x" };
    const id = 2n ** 64n - 1n;
    const outcome = await store.insertSpans([spanAt(1, 0, { span_id: id, attributes })]);
    deepEqual(outcome, { stored: 1, dropped: 0, expired: 0 });
    const [row] = (await store.query(
      `SELECT span_id, hex_id(span_id) AS hex, response_code, request_seq, response_seq, clipped,
         start_time, duration_ms, "url.path", "size", "cached" FROM span_http`,
    )).rows();
    deepEqual(row, {
      span_id: id,
      hex: "ffffffffffffffff",
      response_code: 200,
      request_seq: null,
      response_seq: 5,
      clipped: true,
      start_time: "2023-11-14T22:13:20.000000Z",
      duration_ms: 2.5,
      "url.path": path,
      size: 12.5,
      cached: true,
    });
  });

  await t.step("the last revision wins, in one batch and across batches", async () => {
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
    deepEqual([...Array.from(candidates.column("parent_id"))], [6n, 9n]);
  });

  await t.step("parameters are values, never SQL", async () => {
    const found = await store.query(
      "SELECT count(*) AS n FROM spans WHERE span_id IN ($2, $3) AND status <> $1 -- $9 ?",
      ["x' OR '1'='1", 10n, 11],
    );
    equal(found.rows()[0]?.["n"], 2n);
    await rejects(store.query("SELECT ?", []), /needs 1 parameters, 0 given/);
  });

  await t.step("host and versions are told", async () => {
    const facts = (await store.query("SELECT key, value FROM store_meta")).rows();
    ok(facts.some(({ key, value }) => key === "host" && value === "web"));
  });
});

Deno.test("store: user queries only read and are bounded", async (t) => {
  await using store = await openStore();
  await store.insertSpans(Array.from({ length: 500 }, (_, i) => spanAt(i, i)));

  const refused = {
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
  for (const [sql, reason] of Object.entries(refused)) {
    await t.step(sql, () => rejects(store.query(sql), reason));
  }

  await t.step("an endless query ends, and inserts go on meanwhile", async () => {
    const endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) " +
      "SELECT max(n) FROM r";
    const query = store.query(endless, [], { timeoutMs: 400 });
    const outcome = await store.insertSpans([spanAt(1000, 1000)]);
    equal(outcome.stored, 1);
    await rejects(query, /longer than 0.4 s/);
    const stop = new AbortController();
    const cancelled = store.query(endless, [], { signal: stop.signal });
    stop.abort();
    await rejects(cancelled, /cancelled/);
    equal((await store.query("SELECT count(*) AS n FROM spans")).rows()[0]?.["n"], 501n);
  });

  await t.step("rows are bounded, and the cut is told", async () => {
    const result = await store.query("SELECT span_id FROM spans", [], { rowsMax: 3 });
    equal(result.rowCount, 3);
    equal(result.rows().length, 3);
    equal(result.truncated, true);
  });
});

Deno.test("store: the oldest slice goes when there is more than is kept", async () => {
  await using store = await openStore({ keep: { ...KEEP_IN_MEMORY, spansMax: 120 } });
  let expired = 0;
  for (let batch = 0; batch < 30; batch++) {
    const spans = Array.from({ length: 10 }, (_, i) => spanAt(batch * 10 + i, batch * 10 + i));
    expired += (await store.insertSpans(spans)).expired;
  }
  const sql = "SELECT count(*) AS n, min(span_id) AS first, max(span_id) AS last FROM spans";
  const [row] = (await store.query(sql)).rows();
  deepEqual(row, { n: 120n, first: 180n, last: 299n });
  equal(expired, 180);
  equal(store.stats().expired, 180);
});
