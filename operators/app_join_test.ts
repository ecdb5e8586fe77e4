// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Span, SpanRevision } from "../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../model/span_fixture.ts";
import { buildTraces } from "../queries/assembly/trace.ts";
import { appJoin } from "./app_join.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const hex = (id: bigint) => id.toString(16).padStart(16, "0");
const app = (span_id: bigint, parent: bigint | null, over: Partial<Span> = {}) =>
  fixtureSpan({
    span_id,
    observer: "app",
    parent_span_id: parent,
    parent_id_header: parent === null ? null : hex(parent),
    trace_id_header: traceId,
    request_seq: null,
    link_confidence: parent === null ? 0 : 1,
    ...over,
  });

/** caller (app) → its client span → the server's span → app server → app client → client span. */
const caller = app(0xa1n, null);
const call = fixtureSpan({ span_id: 1n, trace_id_header: traceId, parent_id_header: hex(0xa1n) });
const served = fixtureServerOf(call, { span_id: 2n, parent_span_id: 1n, link_evidence: "hop" });
const handler = app(0xb1n, 0xa1n, { kind: "server" });
const query = app(0xb2n, 0xb1n, { kind: "client" });
const sent = fixtureSpan({
  span_id: 3n,
  pid: served.pid,
  request_seq: 77,
  trace_id_header: traceId,
  parent_id_header: hex(0xb2n),
  parent_span_id: 2n,
  link_evidence: "thread",
  link_confidence: 0.99,
});

function join(apps: readonly Span[], spans: readonly Span[], malformed = 0) {
  const out: SpanRevision[] = [];
  const drops: [string, number | undefined][] = [];
  const stage = appJoin.open({ spans: apps, malformed, overLimit: 0 }, {
    emit: (revision) => void out.push(revision),
    side: () => {},
    drop: (reason, n) => void drops.push([reason, n]),
  });
  for (const span of spans) stage.push({ span, candidates: [] });
  stage.end();
  return { out, drops };
}

const parentsOf = (out: readonly SpanRevision[]) =>
  Object.fromEntries(out.map(({ span }) => [hex(span.span_id).slice(-2), span.parent_span_id]));

const expected = { a1: null, "01": 0xa1n, "02": 1n, b1: 2n, b2: 0xb1n, "03": 0xb2n };

Deno.test("app_join: application and process spans are parents of each other, in turn", () => {
  const spans = [call, served, sent];
  fc.assert(fc.property(fc.shuffledSubarray(spans, { minLength: 3 }), (shuffled) => {
    const { out } = join([query, handler, caller], shuffled);
    assert.deepEqual(parentsOf(out), expected);
  }));
});

Deno.test("app_join: assembly of what comes out is one trace of the same parents", () => {
  const { out } = join([query, handler, caller], [call, served, sent]);
  const traces = buildTraces(out.map(({ span }) => span));
  assert.equal(traces.length, 1);
  const parents = Object.fromEntries(
    traces[0]?.nodes.map(({ span, link }) => [
      hex(span.span_id).slice(-2),
      link?.parent.span_id ?? null,
    ]) ?? [],
  );
  assert.deepEqual(parents, expected);
});

Deno.test("app_join: an application's span that is out already is revised", () => {
  const late = { start_unix_ns: 20_000_000_000n, end_unix_ns: 20_000_000_001n };
  const { out } = join([handler], [fixtureSpan({ span_id: 9n, ...late }), {
    ...served,
    parent_id_header: hex(0xa1n),
  }]);
  const revisions = out.filter(({ span }) => span.span_id === 0xb1n).map(({ span }) => [
    span.revision,
    span.parent_span_id,
  ]);
  assert.deepEqual(revisions, [[0, 0xa1n], [1, 2n]]);
});

Deno.test("app_join: a server without a sender hangs below the application that is named", () => {
  const alone = { ...served, parent_span_id: null, parent_id_header: hex(0xa1n) };
  const [revision] = join([caller], [alone]).out;
  assert.deepEqual([revision?.span.parent_span_id, revision?.span.link_confidence], [0xa1n, 0.95]);
  assert.equal(revision?.candidates[0]?.votes, "server_from_remote_app=0.95");
  const other = { ...alone, trace_id_header: "0".repeat(31) + "1" };
  assert.equal(join([caller], [other]).out[0]?.span.parent_span_id, null);
});

Deno.test("app_join: a proxy that passes the sender's id on stays between the two", () => {
  const proxy = { ...served, parent_id_header: hex(0xa1n), service: "proxy" };
  const passed = fixtureSpan({
    span_id: 5n,
    pid: proxy.pid,
    request_seq: 5,
    trace_id_header: traceId,
    parent_id_header: hex(0xa1n),
    start_unix_ns: proxy.start_unix_ns + 1_000n,
    end_unix_ns: proxy.end_unix_ns - 1_000n,
    parent_span_id: 2n,
    link_evidence: "turn",
  });
  const backend = fixtureServerOf(passed, { span_id: 6n, service: handler.service });
  const { out } = join([caller, handler], [backend, passed, proxy, call]);
  const last = { a1: null, "01": 0xa1n, "02": 1n, "05": 2n, "06": null, b1: 6n };
  assert.deepEqual({ ...parentsOf(out), "06": null }, last);
  const [trace, ...others] = buildTraces(lastOf(out));
  assert.equal(others.length, 0);
  assert.deepEqual(trace?.nodes.map(({ span }) => hex(span.span_id).slice(-2)), [
    "a1",
    "01",
    "02",
    "05",
    "06",
    "b1",
  ]);
});

Deno.test("app_join: what a proxy passed on stays below it when it is revised", () => {
  const proxy = { ...served, parent_id_header: hex(0xa1n) };
  const passed = fixtureSpan({
    span_id: 5n,
    pid: proxy.pid,
    trace_id_header: traceId,
    parent_id_header: hex(0xa1n),
    start_unix_ns: proxy.start_unix_ns + 1_000n,
    end_unix_ns: proxy.end_unix_ns - 1_000n,
  });
  const { out } = join([caller], [passed, proxy, proxy, { ...passed, revision: 1 }]);
  const revisions = out.filter(({ span }) => span.span_id === 5n).map(({ span }) => [
    span.revision,
    span.parent_span_id,
  ]);
  assert.deepEqual(revisions, [[0, 0xa1n], [1, 2n], [2, 2n]]);
});

Deno.test("app_join: many spans below one parent", () => {
  const many = Array.from({ length: 100_000 }, (_, i) => app(BigInt(i + 1_000), 0xb1n));
  assert.equal(join(many, []).out.length, many.length);
});

const lastOf = (
  out: readonly SpanRevision[],
) => [...new Map(out.map(({ span }) => [span.span_id, span])).values()];

Deno.test("app_join: what the file had beside spans is counted once", () => {
  const { drops } = join([caller], [call, served], 3);
  assert.deepEqual(drops, [["span_malformed", 3]]);
  assert.deepEqual(join([], [], 2).drops, [["span_malformed", 2]]);
});
