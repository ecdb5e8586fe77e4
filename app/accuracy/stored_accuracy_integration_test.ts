// SPDX-License-Identifier: Apache-2.0
// What a store tells of itself, with the real engine: accuracy, blind spots, and why links are.

import assert from "node:assert/strict";
import type { Candidate } from "../../model/link.ts";
import type { Span } from "../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { assembleTrace } from "../../queries/assembly/assemble_trace.ts";
import { findSpanId } from "../../queries/assembly/find_trace.ts";
import {
  candidatesOf,
  relinkedQuery,
} from "../../queries/assembly/reassembly/stored_candidates.ts";
import { storeQuery } from "../../queries/assembly/store_query.ts";
import { openStore } from "../../queries/store/store.ts";
import { storeFindings } from "../findings/store_findings.ts";
import { readStoredAccuracy } from "./stored_accuracy.ts";

const second = 1_000_000_000n;
const startNs = 1_700_000_000n * second;
const at = (n: bigint) => ({ start_unix_ns: startNs + n, end_unix_ns: startNs + n + 1_000_000n });
const server = (span_id: bigint, over: Partial<Span> = {}) =>
  fixtureSpan({ span_id, kind: "server", request_seq: Number(span_id), ...at(0n), ...over });
const call = fixtureSpan({
  span_id: 5n,
  parent_span_id: 1n,
  link_evidence: "identity",
  link_confidence: 0.999,
  trace_id_header: "4bf92f3577b34da6a3ce929d0e0e4736",
  is_tls: true,
  request_seq: 5,
  ...at(1_000n),
});
const called = fixtureServerOf(call, { span_id: 6n, gaps: "older", is_tls: false });
const candidates: Candidate[] = [1n, 2n].map((parent_id, rank) => ({
  span_id: 5n,
  parent_id,
  evidence: rank === 0 ? "identity" : "turn",
  score: rank === 0 ? 0.999 : 0.001,
  rank,
  votes: rank === 0 ? "identity=1" : "after_request=0.9",
  among: 2,
}));
const always = { fromNs: 0n, toNs: 1n << 62n };

Deno.test("a store tells how right its links are, what was not seen, and why", async () => {
  await using store = await openStore();
  await store.insertSpans([
    ...[server(1n), server(2n), called].map((span) => ({ span, candidates: [] })),
    { span: call, candidates },
  ]);
  const checks = [{ service: "shop", agreed: 90, differed: 10, uncertain: 5 }];
  const during = { sinceNs: startNs, untilNs: startNs + second };
  const before = { sinceNs: 0n, untilNs: startNs - second };
  await storeFindings(store, {
    checks,
    losses: [
      { reason: "ring_full", count: 7 },
      { reason: "io_uring", service: "server", count: 3 },
      { reason: "io_uring", service: "elsewhere", count: 2 },
    ],
    ...during,
  });
  await storeFindings(store, { checks, losses: [{ reason: "late", count: 1 }], ...before });

  const accuracy = await readStoredAccuracy(store);
  assert.equal(accuracy.traces, 2);
  assert.deepEqual(accuracy.checks, [{
    service: "shop",
    agreed: 180,
    differed: 20,
    uncertain: 10,
  }]);
  assert.deepEqual(accuracy.spots.map(({ reason, count, traces }) => [reason, count, traces]), [
    ["ring_full", 7, 2],
    ["io_uring", 3, 1],
    ["io_uring", 2, 0],
    ["late", 1, 0],
    ["tls", 1, 1],
    ["older", 1, 1],
  ]);

  assert.equal(await findSpanId(store, "4bf92f3577b34da6a3ce929d0e0e4736"), 5n);
  assert.equal(await findSpanId(store, "0000000000000006"), 6n);
  assert.equal(await findSpanId(store, "00000000000000ff"), null);
  assert.equal((await candidatesOf(store, [5n])).get(5n)?.[1]?.votes, "after_request=0.9");

  const rules = { threshold: 0.25, without: new Set(["identity"]) };
  const query = relinkedQuery(storeQuery(store), store, rules);
  for (const from of [5n, 2n]) {
    const trace = await assembleTrace(query, from, always, rules);
    assert.deepEqual(trace?.nodes.map(({ span }) => span.span_id), [2n, 5n, 6n]);
  }
});
