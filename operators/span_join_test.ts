// SPDX-License-Identifier: Apache-2.0
// Ends of a hop find each other in any order, and what went out once is only ever revised upwards.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Span, SpanRevision } from "../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../model/span_fixture.ts";
import { spanJoin } from "./span_join.ts";

function join(spans: readonly (Span | bigint)[]): Span[] {
  const sent: Span[] = [];
  const emit = ({ span }: SpanRevision) => void sent.push(span);
  const stage = spanJoin.open({ network: true }, { emit, side: () => {}, drop: () => {} });
  for (const each of spans) {
    if (typeof each === "bigint") stage.advance(each);
    else stage.push({ span: each, candidates: [] });
  }
  stage.end();
  return sent;
}

const parentsOf = (spans: readonly Span[]) =>
  new Map(spans.map((span) => [span.span_id, span.parent_span_id]));

const client = fixtureSpan({ span_id: 1n });
const server = fixtureServerOf(client, { span_id: 2n });
const nic = (id: bigint, startNs: bigint, over: Partial<Span> = {}) => {
  const where = { observer: "nic", kind: "", pid: 0, socket_id: id } as const;
  return fixtureSpan({ span_id: id, start_unix_ns: startNs, ...where, ...over });
};

Deno.test("span_join: the server's span gets the client's as its parent", () => {
  const [first, second] = join([client, server]);
  assert.equal(first?.parent_span_id, null);
  assert.deepEqual(
    [second?.parent_span_id, second?.link_evidence, second?.link_confidence, second?.revision],
    [1n, "hop", 1, 0],
  );
});

Deno.test("span_join: a client's span that comes late makes a revision of the server's", () => {
  const sent = join([server, client]);
  assert.deepEqual(
    sent.map((span) => [span.span_id, span.revision, span.parent_span_id]),
    [[2n, 0, null], [1n, 0, null], [2n, 1, 1n]],
  );
});

Deno.test("span_join: network spans stand between, in order of time, whatever came first", () => {
  const spans = [client, nic(10n, 1_002_000n), nic(11n, 1_005_000n), server];
  const expected = new Map([[1n, null], [10n, 1n], [11n, 10n], [2n, 11n]]);
  fc.assert(fc.property(fc.shuffledSubarray(spans, { minLength: 4 }), (shuffled) => {
    const parents = parentsOf(join(shuffled));
    for (const [id, parent] of expected) assert.equal(parents.get(id), parent);
  }));
});

Deno.test("span_join: address translation changes addresses, not sequence numbers", () => {
  const translated = { ...server, peer: "10.0.0.1:1234", local: "10.0.0.2:8080" };
  assert.equal(parentsOf(join([client, translated])).get(2n), 1n);
});

Deno.test("span_join: equal sequence numbers of different exchanges are not joined", () => {
  for (
    const over of [{ response_seq: 1 }, { protocol: "redis" }, { resource: "/other" }, {
      start_unix_ns: 9_000_000_000n,
      end_unix_ns: 9_000_000_001n,
    }]
  ) assert.equal(parentsOf(join([client, { ...server, ...over }])).get(2n), null);
});

Deno.test("span_join: two clients that fit equally make the link uncertain", () => {
  const twin = { ...client, span_id: 3n };
  assert.equal(join([client, twin, server]).at(-1)?.link_confidence, 0.5);
});

Deno.test("span_join: unix sockets meet by socket and offset", () => {
  const unix = fixtureSpan({
    transport: "unix",
    request_seq: null,
    response_seq: null,
    socket_id: 7n,
    peer_socket_id: 8n,
    request_offset: 64,
    local: "",
    peer: "/run/db",
  });
  const other = fixtureServerOf(unix, { request_offset: 128, span_id: 3n });
  const parents = parentsOf(join([unix, fixtureServerOf(unix, { span_id: 2n }), other]));
  assert.deepEqual([parents.get(2n), parents.get(3n)], [1n, null]);
});

Deno.test("span_join: datagrams meet by ports and the protocol's id", () => {
  const over = {
    protocol: "dns",
    request_id: "77",
    request_seq: null,
    response_seq: null,
  } as const;
  const ask = fixtureSpan({ transport: "udp", peer: "127.0.0.1:53", ...over });
  const answer = fixtureServerOf(ask, { span_id: 2n, local: "0.0.0.0:53" });
  const stranger = fixtureServerOf(ask, { span_id: 3n, request_id: "78" });
  const parents = parentsOf(join([ask, answer, stranger]));
  assert.deepEqual([parents.get(2n), parents.get(3n)], [1n, null]);
});

Deno.test("span_join: a later revision from upstream keeps the link and rises", () => {
  const open = { ...server, shape: "open" } as const;
  const sent = join([open, client, { ...server, revision: 1 }]).filter((span) =>
    span.span_id === 2n
  );
  assert.deepEqual(sent.map((span) => [span.revision, span.parent_span_id]), [
    [0, null],
    [1, 1n],
    [2, 1n],
  ]);
});

Deno.test("span_join: a stream that outlives the window keeps its link", () => {
  const open = { ...server, shape: "open" } as const;
  const seconds = 1_000_000_000n;
  const sent = join([
    client,
    open,
    100n * seconds,
    200n * seconds,
    300n * seconds,
    { ...server, revision: 1 },
  ]);
  assert.deepEqual([sent.at(-1)?.parent_span_id, sent.at(-1)?.revision], [1n, 1]);
});

Deno.test("span_join: what is held does not grow without bound", () => {
  const sent: SpanRevision[] = [];
  const emit = (revision: SpanRevision) => void sent.push(revision);
  const stage = spanJoin.open({ network: true }, { emit, side: () => {}, drop: () => {} });
  for (let i = 0; i < 200_000; i++) {
    stage.push({ span: { ...client, span_id: BigInt(i), request_seq: i }, candidates: [] });
  }
  assert.ok(stage.held() <= 65_536);
  assert.equal(sent.length, 200_000);
});

Deno.test("span_join: without network spans, a complete hop is let go of", () => {
  const emitted: SpanRevision[] = [];
  const stage = spanJoin.open({ network: false }, {
    emit: (revision) => void emitted.push(revision),
    side: () => {},
    drop: () => {},
  });
  stage.push({ span: server, candidates: [] });
  assert.equal(stage.held(), 1);
  stage.push({ span: client, candidates: [] });
  assert.equal(emitted.at(-1)?.span.parent_span_id, 1n);
  assert.equal(stage.held(), 0);
});
