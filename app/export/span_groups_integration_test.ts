// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Span } from "../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { assembleAll } from "../../queries/assembly/assemble_all.ts";
import { openStore } from "../../queries/store/store.ts";
import { groupByKeys, readSpanGroups } from "./span_groups.ts";
import { readStoredTraces } from "./stored_traces.ts";

const none = { trace_id_header: null, parent_id_header: null, x_request_id: null } as const;
const traceId = "0af7651916cd43dd8448eb211c80319c";

/** Nothing that both tell joins a client span with any other. */
function call(n: number, over: Partial<Span> = {}): Span {
  return fixtureSpan({
    span_id: BigInt(1_000 * n + 1),
    kind: "client",
    request_seq: 1_000 * n,
    start_unix_ns: BigInt(n) * 1_000_000n,
    end_unix_ns: BigInt(n) * 1_000_000n + 500_000n,
    ...none,
    ...over,
  });
}

function pair(n: number, over: Partial<Span>, ofServer: Partial<Span> = {}): [Span, Span] {
  const client = call(n, over);
  return [client, fixtureServerOf(client, { span_id: client.span_id + 1n, ...over, ...ofServer })];
}

const app = { observer: "app", request_seq: null, transport: "tcp" } as const;

/** Two spans each that one of the rules joins. */
const pairs: readonly (readonly [Span, Span])[] = [
  pair(1, {}),
  pair(2, { transport: "udp", request_id: "77", local: "10.0.0.1:5000", peer: "10.0.0.2:53" }, {
    local: "10.9.9.9:53",
    peer: "10.0.0.1:5000",
  }),
  pair(3, { transport: "unix", socket_id: 31n, peer_socket_id: 32n, request_offset: 5 }, {
    socket_id: 32n,
    peer_socket_id: 31n,
  }),
  pair(4, { x_request_id: "r-4" }, { request_seq: 4_444 }),
  [
    call(5, { trace_id_header: traceId, parent_id_header: "00000000000000ff" }),
    call(5, { ...app, kind: "internal", span_id: 0xffn, trace_id_header: traceId, service: "x" }),
  ],
  [call(6), call(6, { span_id: 6_500n, parent_span_id: 6_001n, request_seq: 6_500 })],
  [
    call(7, { kind: "server", service: "seven", trace_id_header: "7".repeat(32) }),
    call(7, {
      ...app,
      kind: "internal",
      span_id: 7_500n,
      service: "seven",
      trace_id_header: "7".repeat(32),
    }),
  ],
];

async function storeOf(spans: readonly Span[]) {
  const store = await openStore();
  for (let i = 0; i < spans.length; i += 4_096) {
    const some = spans.slice(i, i + 4_096);
    await store.insertSpans(some.map((span) => ({ span, candidates: [] })));
  }
  return store;
}

Deno.test("spans that a rule may join are in one group, others are not", async () => {
  const spans = pairs.flat();
  await using store = await storeOf(spans);
  const all = { sinceNs: 0n, untilNs: 1n << 60n };
  const { groups, lastOf } = await readSpanGroups(store, all);
  const stored = await store.query("SELECT span_id FROM spans ORDER BY start_unix_ns, span_id");
  const ids = Array.from(stored.column("span_id") as ArrayLike<bigint>);
  const groupOf = (span: Span) => groups[ids.indexOf(span.span_id)];
  for (const [i, [one, other]] of pairs.entries()) {
    assert.equal(groupOf(one), groupOf(other), `pair ${i + 1}`);
  }
  assert.equal(new Set(groups).size, pairs.length);
  assert.deepEqual(new Set(groups).size, new Set(lastOf.filter((last) => last > 0)).size);
});

Deno.test("a group reaches as far as keys lead, and has the number of its first span", () => {
  const keys = [[1n, 2n, 3n, 9n, 0n], [2n, 3n, 0n, 8n, 0n]].map((row) => BigUint64Array.from(row))
    .map((row) => row.map((key) => key * 0x9e37_79b9_7f4a_7c15n));
  const { groups, lastOf } = groupByKeys(keys, 5);
  assert.deepEqual([...groups], [0, 0, 0, 3, 4]);
  assert.deepEqual([lastOf[0], lastOf[3], lastOf[4]], [2, 3, 4]);
});

Deno.test("traces come out of a store, page by page, as if all had been in memory", async () => {
  const long = { end_unix_ns: 1n << 40n };
  const spans = Array.from({ length: 4_200 }, (_, i) => pair(i + 1, i % 1_000 === 0 ? long : {}));
  const late = call(9_000, { parent_span_id: 1_002n, request_seq: 5, link_confidence: 0.9 });
  const all = [...spans.flat(), late];
  await using store = await storeOf(all);
  const { startNs, batches } = await readStoredTraces(store, {});
  const traces = (await Array.fromAsync(batches)).flat();
  const shape = (found: typeof traces) =>
    found.map(({ traceId, nodes }) => `${traceId} ${nodes.map(({ span }) => span.span_id)}`).sort();
  assert.equal(startNs, 1_000_000n);
  assert.deepEqual(shape(traces), shape(assembleAll(all)));
  const some = await readStoredTraces(store, { sinceNs: 3_000_000n, untilNs: 5_000_000n });
  assert.equal((await Array.fromAsync(some.batches)).flat().length, 2);
});
