// SPDX-License-Identifier: Apache-2.0
// A search from any span of a trace finds the whole of it and nothing else, however the spans are
// tied, and tells when it had to stop.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Span } from "../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { queryOf } from "./array_query.ts";
import { assembleAll } from "./assemble_all.ts";
import { assembleTrace } from "./assemble_trace.ts";
import { relatedSql } from "./related_sql.ts";
import { rootIdOf, traceIdOf } from "./trace_id.ts";
import { noKeys, type SpanQuery } from "./span_query.ts";

/** Without the short cut, as a store that has none. */
const stepwise = (spans: readonly Span[]) => ({ related: queryOf(spans).related });

const always = { fromNs: -1n << 60n, toNs: 1n << 60n };
const ms = 1_000_000n;

/** A shop: curl → proxy → web → (cache, database over a unix socket), with names looked up. */
function shop(firstId: bigint, startNs: bigint): Span[] {
  const seq = Number(firstId) * 100;
  const at = (fromMs: bigint, toMs: bigint) => ({
    start_unix_ns: startNs + fromMs * ms,
    end_unix_ns: startNs + toMs * ms,
  });
  const under = (parent: Span) => ({
    parent_span_id: parent.span_id,
    link_confidence: 0.9,
    link_evidence: "thread" as const,
    pid: parent.pid,
  });
  const id = (n: bigint) => firstId + n;
  const hop = (n: number) => ({ request_seq: seq + n, response_seq: seq + n });
  const root = fixtureSpan({ span_id: id(0n), ...at(0n, 100n), ...hop(0), pid: 1 });
  const proxy = fixtureServerOf(root, { span_id: id(1n), pid: 2, x_request_id: `r${firstId}` });
  const toWeb = fixtureSpan({
    span_id: id(2n),
    ...at(10n, 90n),
    ...hop(1),
    ...under(proxy),
    parent_span_id: null,
    link_confidence: 0,
    x_request_id: `r${firstId}`,
  });
  const web = fixtureServerOf(toWeb, { span_id: id(3n), pid: 3 });
  const dns = { transport: "udp", protocol: "dns", request_id: `${seq}` } as const;
  const none = { request_seq: null, response_seq: null };
  const lookUp = fixtureSpan({ span_id: id(4n), ...at(20n, 22n), ...under(web), ...dns, ...none });
  const resolver = fixtureServerOf(lookUp, { span_id: id(5n), pid: 4 });
  const cache = fixtureSpan({ span_id: id(6n), ...at(30n, 40n), ...under(web), ...hop(2) });
  const cached = fixtureServerOf(cache, { span_id: id(7n), pid: 5 });
  const unix = { transport: "unix", socket_id: firstId, peer_socket_id: firstId + 1n } as const;
  const ask = fixtureSpan({ span_id: id(8n), ...at(50n, 80n), ...under(web), ...unix, ...none });
  const database = fixtureServerOf(ask, { span_id: id(9n), pid: 6 });
  return [root, proxy, toWeb, web, lookUp, resolver, cache, cached, ask, database];
}

const store = [shop(1_000n, 0n), shop(2_000n, 5n * ms), shop(3_000n, 900_000n * ms)];

Deno.test("assemble_trace: any span leads to the whole trace and to no other", async () => {
  for (const query of [queryOf(store.flat()), stepwise(store.flat())]) await expectAll(query);
});

async function expectAll(query: SpanQuery): Promise<void> {
  for (const spans of store) {
    const ids = spans.map((span) => span.span_id);
    for (const id of ids) {
      const trace = await assembleTrace(query, id, always);
      assert.deepEqual(trace?.nodes.map(({ span }) => span.span_id), ids);
      assert.equal(trace?.root.span.span_id, ids[0]);
      assert.equal(trace?.truncated, "");
    }
  }
}

Deno.test("assemble_trace and assemble_all agree", async () => {
  const everything = assembleAll(store.flat());
  assert.equal(everything.length, store.length);
  for (const trace of everything) {
    const one = await assembleTrace(queryOf(store.flat()), trace.root.span.span_id, always);
    assert.deepEqual(one, trace);
  }
});

Deno.test("assemble_trace: a parent that began long before is looked for again", async () => {
  const minute = 60_000n * ms;
  for (const agoNs of [5n * minute, 3n * 24n * 60n * minute]) {
    const stream = fixtureSpan({ span_id: 1n, kind: "server", end_unix_ns: 2n * agoNs });
    const call = fixtureSpan({
      span_id: 2n,
      start_unix_ns: agoNs,
      end_unix_ns: agoNs + ms,
      request_seq: 7,
      parent_span_id: 1n,
      link_confidence: 1,
    });
    const trace = await assembleTrace(queryOf([stream, call]), 2n, always);
    assert.deepEqual(trace?.nodes.map(({ span }) => span.span_id), [1n, 2n]);
  }
});

Deno.test("assemble_trace: a search that does not end says so", async () => {
  const chain = Array.from({ length: 100 }, (_, i) =>
    fixtureSpan({
      span_id: BigInt(i + 1),
      request_seq: i,
      parent_span_id: i === 0 ? null : BigInt(i),
      link_confidence: 1,
    }));
  assert.equal((await assembleTrace(queryOf(chain), 1n, always))?.nodes.length, 100);
  const trace = await assembleTrace(stepwise(chain), 1n, always);
  assert.match(trace?.truncated ?? "", /ended after 30 rounds/);
  assert.ok((trace?.nodes.length ?? 0) < chain.length);
});

Deno.test("assemble_trace: an id that is not there gives null", async () => {
  assert.equal(await assembleTrace(queryOf([]), 5n, always), null);
});

Deno.test("assemble_trace: the last revision counts", async () => {
  const [root, ...rest] = shop(1_000n, 0n);
  assert.ok(root !== undefined);
  const late = { ...root, revision: 3, status: "timeout" as const };
  const trace = await assembleTrace(queryOf([root, ...rest, late]), 1_003n, always);
  assert.equal(trace?.root.span.status, "timeout");
});

Deno.test("a trace has the W3C id if exactly one occurs, else one of its own", () => {
  const w3c = "4bf92f3577b34da6a3ce929d0e0e4736";
  const plain = shop(1_000n, 0n);
  const idOf = (spans: readonly Span[]) => assembleAll(spans)[0]?.traceId;
  const own = idOf(plain);
  assert.match(own ?? "", /^[0-9a-f]{32}$/);
  assert.equal(idOf([...plain].reverse()), own);
  const first = plain.map((span, i) => i === 0 ? { ...span, trace_id_header: w3c } : span);
  assert.equal(idOf(first), w3c);
  const other = first.map((span, i) =>
    i === 4 ? { ...span, trace_id_header: w3c.replace("4", "5") } : span
  );
  assert.equal(idOf(other), own);
});

Deno.test("the id of a trace leads back to its root", () => {
  for (const id of [1n, 0xfedc_ba98_7654_3210n]) {
    const traceId = traceIdOf(fixtureSpan({ span_id: id }), []);
    assert.equal(rootIdOf(traceId), id);
  }
  assert.equal(rootIdOf("4bf92f3577b34da6a3ce929d0e0e4736"), null);
});

Deno.test("self times add up to the root's duration where children follow one another", () => {
  const [trace] = assembleAll(shop(1_000n, 0n));
  assert.ok(trace !== undefined);
  const self = (id: bigint) => trace.nodes.find(({ span }) => span.span_id === id)?.selfNs;
  assert.equal(self(1_003n), 80n * ms - 20_000n - (2n + 10n + 30n) * ms);
  const sum = trace.nodes.reduce((total, node) => total + node.selfNs, 0n);
  assert.equal(sum, trace.endNs - trace.startNs);
});

Deno.test("the critical path of parallel calls goes through the one that ended last", () => {
  const root = fixtureSpan({
    span_id: 1n,
    kind: "server",
    start_unix_ns: 0n,
    end_unix_ns: 100n * ms,
  });
  const call = (id: bigint, fromMs: bigint, toMs: bigint) =>
    fixtureSpan({
      span_id: id,
      request_seq: Number(id),
      parent_span_id: 1n,
      link_confidence: 1,
      start_unix_ns: fromMs * ms,
      end_unix_ns: toMs * ms,
    });
  const [trace] = assembleAll([root, call(2n, 10n, 50n), call(3n, 10n, 80n), call(4n, 2n, 9n)]);
  const critical = trace?.nodes.filter((node) => node.isCritical).map(({ span }) => span.span_id);
  assert.deepEqual(critical, [1n, 4n, 3n]);
});

Deno.test("a trace of 10,000 spans, as a chain and as a fan, is assembled whole", () => {
  for (const parentOf of [(i: number) => i - 1, () => 0]) {
    const spans = Array.from({ length: 10_000 }, (_, i) =>
      fixtureSpan({
        span_id: BigInt(i + 1),
        request_seq: i,
        parent_span_id: i === 0 ? null : BigInt(parentOf(i) + 1),
        link_confidence: 1,
        start_unix_ns: BigInt(i),
      }));
    assert.equal(assembleAll(spans)[0]?.nodes.length, 10_000);
  }
});

Deno.test("related_sql asks only for what is given, and quotes it", () => {
  const none = noKeys();
  assert.match(relatedSql(none, { fromNs: 1n, toNs: 2n }, 5), /AND \(false\)/);
  const sql = relatedSql(
    { ...none, span_id: [7n], x_request_id: ["it's"], unix: [{ reader: 3n, offset: 9 }] },
    { fromNs: 1n, toNs: 2n },
    5,
  );
  assert.match(sql, /BETWEEN 1 AND 2/);
  assert.match(sql, /span_id IN \(7\)/);
  assert.match(sql, /x_request_id IN \('it''s'\)/);
  assert.match(sql, /request_offset = 9 AND \(socket_id = 3 OR peer_socket_id = 3\)/);
  assert.doesNotMatch(sql, /request_seq/);
});

Deno.test("every span is in exactly one trace, whatever the spans", () => {
  const id = fc.bigInt({ min: 1n, max: 30n });
  const spans = fc.array(
    fc.record({ span_id: id, parent_span_id: fc.option(id), request_seq: fc.nat(5) })
      .map((over) => fixtureSpan({ ...over, link_confidence: 1 })),
  );
  fc.assert(fc.property(spans, (all) => {
    const shown = assembleAll(all).flatMap((trace) => trace.nodes.map(({ span }) => span.span_id));
    const unique = new Set(all.map((span) => span.span_id));
    assert.equal(shown.length, unique.size);
    assert.deepEqual(new Set(shown), unique);
  }));
});
