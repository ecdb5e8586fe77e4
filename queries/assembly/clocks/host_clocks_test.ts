// SPDX-License-Identifier: Apache-2.0
// Spans of hosts whose clocks were skewed on purpose: the skew is found, and undone.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Span } from "../../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../../model/span_fixture.ts";
import { queryOf } from "../array_query.ts";
import { assembleAll } from "../assemble_all.ts";
import { assembleTrace } from "../assemble_trace.ts";
import { alignClocks, estimateClocks } from "./host_clocks.ts";
import { alignedQuery } from "./stored_clocks.ts";

const ms = 1_000_000n;

/** A request of one host to the next, and so on, each 1 ms inside of the one before. */
function chain(n: number, hosts: readonly string[]): Span[] {
  const spans: Span[] = [];
  const startNs = 1_000_000n * ms + BigInt(n) * 50n * ms;
  for (let i = 0; i + 1 < hosts.length; i++) {
    const above = spans.at(-1);
    const id = BigInt(n * 100 + i * 2 + 1);
    const client = fixtureSpan({
      span_id: id,
      host: hosts[i] ?? "",
      pid: 10 + i,
      request_seq: n * 10 + i,
      response_seq: n * 10 + i + 7,
      start_unix_ns: startNs + BigInt(i) * 2n * ms,
      end_unix_ns: startNs + 30n * ms - BigInt(i) * 2n * ms,
      parent_span_id: above?.span_id ?? null,
      link_evidence: above === undefined ? "" : "thread",
      link_confidence: above === undefined ? 0 : 0.99,
    });
    const server = {
      ...fixtureServerOf(client, { span_id: id + 1n, host: hosts[i + 1] ?? "", pid: 11 + i }),
      start_unix_ns: client.start_unix_ns + ms,
      end_unix_ns: client.end_unix_ns - ms,
    };
    spans.push(client, server);
  }
  return spans;
}

const skewed = (spans: readonly Span[], byNs: Readonly<Record<string, bigint>>): Span[] =>
  spans.map((span) => ({
    ...span,
    start_unix_ns: span.start_unix_ns + (byNs[span.host] ?? 0n),
    end_unix_ns: span.end_unix_ns + (byNs[span.host] ?? 0n),
  }));

const straight = Array.from({ length: 20 }, (_, n) => chain(n, ["a", "b", "c"])).flat();

Deno.test("clocks that no pair contradicts are taken as equal", () => {
  assert.deepEqual(estimateClocks(straight), []);
  assert.deepEqual(estimateClocks(skewed(straight, { b: ms / 2n })), []);
  assert.deepEqual(estimateClocks([]), []);
});

Deno.test("injected skew is found to within a round trip, over several hosts", () => {
  const second = 1_000n * ms;
  const skew = fc.bigInt({ min: -100_000n * second, max: 100_000n * second });
  fc.assert(fc.property(skew, skew, (a, c) => {
    const spans = skewed(straight, { a, c });
    const clocks = estimateClocks(spans);
    const ahead = (host: string) => clocks.find((each) => each.host === host)?.aheadNs ?? 0n;
    for (const [host, byNs] of [["a", a], ["c", c]] as const) {
      const off = ahead(host) - ahead("b") - byNs;
      assert.ok(off > -2n * ms && off < 2n * ms, `${host} is off by ${off}`);
    }
    const aligned = new Map(alignClocks(spans, clocks).map((span) => [span.span_id, span]));
    for (const server of aligned.values()) {
      if (server.kind !== "server") continue;
      const client = aligned.get(server.span_id - 1n);
      assert.ok(client !== undefined && client.start_unix_ns <= server.start_unix_ns + ms / 5n);
      assert.ok(server.end_unix_ns <= client.end_unix_ns + ms / 5n);
    }
  }));
});

Deno.test("a pair that says otherwise does not move the clocks", () => {
  const [odd, ...rest] = skewed(straight, { b: 900n * ms });
  assert.ok(odd !== undefined);
  const wrong = { ...odd, start_unix_ns: 0n, end_unix_ns: 1n << 60n };
  const [clock] = estimateClocks([wrong, ...rest]);
  assert.equal(clock?.host === "b" ? 1 : -1, clock !== undefined && clock.aheadNs > 0n ? 1 : -1);
  assert.ok((clock?.pairs ?? 0) >= 19);
});

Deno.test("traces over hosts with clocks hours apart are whole, in one time", async () => {
  const hour = 3_600_000n * ms;
  const spans = skewed(straight, { b: 7n * hour, c: -hour });
  const traces = assembleAll(spans);
  assert.equal(traces.length, 20);
  for (const trace of traces) {
    assert.equal(trace.nodes.length, 4);
    assert.equal(trace.clocks.length, 2);
    assert.ok(trace.endNs - trace.startNs < 40n * ms);
    for (const { span, link } of trace.nodes) {
      if (link === null) continue;
      assert.ok(span.start_unix_ns + ms / 5n >= link.parent.start_unix_ns);
      assert.ok(span.end_unix_ns <= link.parent.end_unix_ns + ms / 5n);
    }
  }
  const clocks = estimateClocks(spans);
  const query = alignedQuery(queryOf(spans), clocks);
  const always = { fromNs: -1n << 60n, toNs: 1n << 60n };
  for (const { span_id } of spans.slice(0, 4)) {
    assert.equal((await assembleTrace(query, span_id, always))?.nodes.length, 4);
  }
});
