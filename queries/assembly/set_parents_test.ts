// SPDX-License-Identifier: Apache-2.0
// Properties of the forest that hold for any spans: no circles, no dependence on order, no change
// by strangers, and a lost span costs its own links only.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Span } from "../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { lastRevisions, setParents } from "./set_parents.ts";

/** Few values for everything, so that keys meet and conflict all the time. */
const small = (max: number) => fc.integer({ min: 0, max });
const id = fc.bigInt({ min: 1n, max: 12n });
const hex = fc.constantFrom(null, "01", "02", "0000000000000003");
const anySpan: fc.Arbitrary<Span> = fc.record({
  span_id: id,
  parent_span_id: fc.option(id),
  link_confidence: fc.constantFrom(0, 0.3, 0.5, 1),
  link_evidence: fc.constantFrom("", "hop", "turn"),
  revision: small(2),
  kind: fc.constantFrom("client", "server", "producer", "consumer", "internal", ""),
  observer: fc.constantFrom("process", "nic", "app"),
  protocol: fc.constantFrom("http", "redis", ""),
  transport: fc.constantFrom("tcp", "udp", "unix"),
  request_seq: fc.option(small(3)),
  response_seq: fc.option(small(1)),
  start_unix_ns: fc.bigInt({ min: 0n, max: 50n }),
  end_unix_ns: fc.bigInt({ min: 20n, max: 90n }),
  socket_id: fc.bigInt({ min: 0n, max: 3n }),
  peer_socket_id: fc.bigInt({ min: 0n, max: 3n }),
  request_id: fc.constantFrom(null, "7"),
  trace_id_header: hex,
  parent_id_header: hex,
  x_request_id: hex,
  pid: small(2),
}).map((over) => fixtureSpan(over as Partial<Span>));
const anySpans = fc.array(anySpan, { maxLength: 24 }).map(lastRevisions);

const asIds = (spans: readonly Span[]): [bigint, bigint, string][] =>
  [...setParents(spans)]
    .map(([child, { parent, rule }]): [bigint, bigint, string] => [
      child.span_id,
      parent.span_id,
      rule,
    ])
    .sort((a, b) => Number(a[0] - b[0]));

Deno.test("the parents of any spans make a forest", () => {
  fc.assert(fc.property(anySpans, (spans) => {
    const links = setParents(spans);
    for (const span of spans) {
      let steps = 0;
      for (let at = links.get(span); at !== undefined; at = links.get(at.parent)) {
        assert.ok(++steps <= spans.length, "a circle");
      }
    }
    assert.ok(spans.length === 0 || spans.some((span) => !links.has(span)), "no root");
  }));
});

Deno.test("the order in which spans come changes nothing", () => {
  const shuffled = fc.array(anySpan, { maxLength: 24 }).chain((spans) =>
    fc.tuple(
      fc.constant(spans),
      fc.shuffledSubarray(spans, { minLength: spans.length, maxLength: spans.length }),
    )
  );
  fc.assert(fc.property(shuffled, ([spans, others]) => {
    const unique = lastRevisions(spans);
    const ids = new Set(unique);
    const reordered = others.filter((span) => ids.has(span));
    assert.deepEqual(asIds(reordered), asIds(unique));
  }));
});

Deno.test("of parents that fit equally the last that began is taken, in any order", () => {
  const apart = { request_seq: null, response_seq: null };
  const ids = { ...apart, trace_id_header: "01", parent_id_header: "0000000000000003" };
  const serving = (span_id: bigint, start_unix_ns: bigint) =>
    fixtureSpan({ ...ids, span_id, start_unix_ns, end_unix_ns: 90n, kind: "server" });
  const earlier = serving(1n, 10n);
  const later = serving(2n, 11n);
  const times = { start_unix_ns: 20n, end_unix_ns: 30n };
  const call = fixtureSpan({ ...ids, ...times, span_id: 3n, kind: "client" });
  for (const spans of [[earlier, later, call], [later, earlier, call], [call, later, earlier]]) {
    assert.equal(setParents(spans).get(call)?.parent, later);
  }
});

Deno.test("an unrelated span changes nothing", () => {
  const stranger = fixtureSpan({ span_id: 999n, request_seq: 77_777, pid: 77, transport: "tcp" });
  fc.assert(fc.property(anySpans, (spans) => {
    assert.deepEqual(asIds([stranger, ...spans]), asIds(spans));
  }));
});

Deno.test("the last revision of a span counts", () => {
  const old = fixtureSpan({ revision: 0 });
  const last = fixtureSpan({ revision: 2, status: "timeout" });
  assert.deepEqual(lastRevisions([last, old, fixtureSpan({ revision: 1 })]), [last]);
});

/** A chain of services: server, client, server … each calling the next. */
function chain(length: number): Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < length; i++) {
    const above = spans.at(-1);
    const client = fixtureSpan({
      span_id: BigInt(i * 2 + 1),
      request_seq: i,
      response_seq: i,
      pid: i,
      start_unix_ns: BigInt(i),
      end_unix_ns: 1_000n - BigInt(i),
      parent_span_id: above?.span_id ?? null,
      link_confidence: above === undefined ? 0 : 1,
      link_evidence: above === undefined ? "" : "thread",
    });
    spans.push(client, fixtureServerOf(client, { span_id: BigInt(i * 2 + 2), pid: i + 1 }));
  }
  return spans;
}

Deno.test("a lost span costs its own links only", () => {
  const spans = chain(10);
  const whole = new Map(asIds(spans).map(([child, parent]) => [child, parent]));
  for (const lost of spans) {
    const rest = new Map(
      asIds(spans.filter((span) => span !== lost)).map(([child, parent]) => [child, parent]),
    );
    for (const [child, parent] of whole) {
      const isItsOwn = child === lost.span_id || parent === lost.span_id;
      assert.equal(rest.get(child), isItsOwn ? undefined : parent);
    }
  }
});

/** Services that call each other as numbers say: the n-th request is made for an earlier one. */
const anyForest = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30 }).map((choices) => {
  const servers: Span[] = [];
  const spans: Span[] = [];
  for (const [i, choice] of choices.entries()) {
    const above = choice % (i + 1) === i ? undefined : servers[choice % (i + 1)];
    const client = fixtureSpan({
      span_id: BigInt(i * 2 + 1),
      request_seq: i,
      response_seq: i,
      pid: above === undefined ? 1_000 + i : above.pid,
      start_unix_ns: BigInt(i),
      end_unix_ns: 10_000n - BigInt(i),
      parent_span_id: above?.span_id ?? null,
      link_confidence: above === undefined ? 0 : 0.9,
      link_evidence: above === undefined ? "" : "turn",
    });
    const server = fixtureServerOf(client, { span_id: BigInt(i * 2 + 2), pid: i + 1 });
    servers.push(server);
    spans.push(client, server);
  }
  return spans;
});

Deno.test("in any forest of requests a lost span costs its own links only", () => {
  fc.assert(fc.property(anyForest, fc.nat(), (spans, n) => {
    const lost = spans[n % spans.length];
    const kept = spans.filter((span) => span !== lost);
    const isOthers = ([child, parent]: readonly [bigint, bigint, string]) =>
      child !== lost?.span_id && parent !== lost?.span_id;
    assert.equal(asIds(spans).length, spans.length - rootsOf(spans));
    assert.deepEqual(asIds(kept), asIds(spans).filter(isOthers));
  }));
});

const rootsOf = (spans: readonly Span[]) =>
  spans.filter(({ kind, parent_span_id }) => kind === "client" && parent_span_id === null).length;

Deno.test("a span that shares no key changes nothing, whatever else it is like", () => {
  fc.assert(fc.property(anyForest, anySpan, (spans, like) => {
    const stranger = {
      ...like,
      span_id: 5_000n,
      parent_span_id: 5_001n,
      request_seq: 77_777,
      transport: "tcp" as const,
      trace_id_header: null,
      parent_id_header: null,
      x_request_id: null,
    };
    assert.deepEqual(asIds([...spans, stranger]), asIds(spans));
  }));
});

Deno.test("a weak link below the threshold is not drawn", () => {
  const [client, server] = chain(1);
  assert.ok(client !== undefined && server !== undefined);
  const weak = fixtureSpan({
    span_id: 5n,
    parent_span_id: server.span_id,
    link_confidence: 0.1,
    request_seq: 99,
  });
  assert.equal(setParents([client, server, weak]).has(weak), false);
});

Deno.test("of the links of a circle the least trusted is left out, in any order", () => {
  const linkedTo = (span_id: bigint, parent_span_id: bigint, link_confidence: number) =>
    fixtureSpan({ span_id, parent_span_id, link_confidence, request_seq: Number(span_id) });
  const circle = [linkedTo(1n, 2n, 0.7), linkedTo(2n, 3n, 0.6), linkedTo(3n, 1n, 0.9)];
  const expected: [bigint, bigint, string][] = [[1n, 2n, "linked"], [3n, 1n, "linked"]];
  fc.assert(fc.property(fc.shuffledSubarray(circle, { minLength: 3 }), (spans) => {
    assert.deepEqual(asIds(spans), expected);
  }));
});
