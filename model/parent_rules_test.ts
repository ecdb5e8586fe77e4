// SPDX-License-Identifier: Apache-2.0
// One case per parent rule: a pair that fits it, and changes to the pair after which it must not.

import assert from "node:assert/strict";
import { HOP_RULES, hopKey, PARENT_RULES } from "./parent_rules.ts";
import type { Span } from "./span.ts";
import { fixtureServerOf, fixtureSpan } from "./span_fixture.ts";

interface Case {
  readonly child: Span;
  readonly parent: Span;
  readonly confidence: number;
  /** Each change to the child alone makes the rule silent. */
  readonly spoiledBy: readonly Partial<Span>[];
}

const client = fixtureSpan();
const server = fixtureServerOf(client);
const nic = fixtureSpan({ span_id: 50n, observer: "nic", kind: "", start_unix_ns: 1_001_000n });
const laterNic = { ...nic, span_id: 51n, socket_id: 101n, start_unix_ns: 1_002_000n };
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const headers = { trace_id_header: traceId, parent_id_header: "00000000000000aa" };
const app = fixtureSpan({ span_id: 0xaan, observer: "app", trace_id_header: traceId });
const appServer = fixtureSpan({
  span_id: 0xbbn,
  observer: "app",
  kind: "server",
  parent_span_id: 0xaan,
  trace_id_header: traceId,
  start_unix_ns: 1_100_000n,
  end_unix_ns: 1_900_000n,
});
const unix = fixtureSpan({
  transport: "unix",
  request_seq: null,
  response_seq: null,
  socket_id: 7n,
  peer_socket_id: 8n,
  request_offset: 3,
});
const dns = fixtureSpan({
  transport: "udp",
  protocol: "dns",
  request_id: "7",
  request_seq: null,
  response_seq: null,
});
const incoming = fixtureSpan({
  span_id: 70n,
  kind: "server",
  x_request_id: "r1",
  start_unix_ns: 900_000n,
  end_unix_ns: 3_000_000n,
});
const otherTrace = { trace_id_header: "0".repeat(31) + "1" };
const later = { start_unix_ns: 10_000_000_000n, end_unix_ns: 10_000_000_001n };
const longBefore = { start_unix_ns: -10_000_000_000n };
const published = fixtureSpan({
  span_id: 80n,
  protocol: "nats",
  kind: "producer",
  message_key: 6n,
});
const taken = { ...published, span_id: 81n, kind: "consumer", pid: 9 } as const;
const handedOn = { ...taken, span_id: 82n, kind: "producer", message_key: 7n } as const;
const consumed = { ...handedOn, span_id: 83n, kind: "consumer", pid: 10, ...later } as const;
const seqOfOther = { request_seq: 1 };
const answerOfOther = { response_seq: 1 };
const protocolOfOther = { protocol: "redis" };

const cases: Readonly<Record<string, Case>> = {
  server_from_nic: {
    child: server,
    parent: nic,
    confidence: 1,
    spoiledBy: [seqOfOther, answerOfOther, later, { kind: "client" }],
  },
  nic_from_nic: {
    child: laterNic,
    parent: nic,
    confidence: 1,
    spoiledBy: [seqOfOther, { start_unix_ns: 1_000_500n }, answerOfOther, { socket_id: 100n }],
  },
  nic_from_client: { child: nic, parent: client, confidence: 1, spoiledBy: [seqOfOther, later] },
  server_from_client: {
    child: server,
    parent: client,
    confidence: 1,
    spoiledBy: [seqOfOther, answerOfOther, protocolOfOther, later, { resource: "/other" }],
  },
  unix_server_from_client: {
    child: fixtureServerOf(unix),
    parent: unix,
    confidence: 1,
    spoiledBy: [{ socket_id: 9n }, { request_offset: 4 }, { peer_socket_id: 6n }, later],
  },
  udp_server_from_client: {
    child: fixtureServerOf(dns),
    parent: dns,
    confidence: 1,
    spoiledBy: [{ request_id: "8" }, { peer: "127.0.0.1:40001" }, later],
  },
  client_from_server_passing_on: {
    child: { ...client, ...headers },
    parent: { ...incoming, ...headers },
    confidence: 0.99,
    spoiledBy: [{ parent_id_header: "01" }, otherTrace, { pid: 99 }, later],
  },
  client_from_app: {
    child: { ...client, ...headers },
    parent: app,
    confidence: 1,
    spoiledBy: [{ parent_id_header: "00000000000000ab" }, otherTrace, later],
  },
  app_from_server: {
    child: { ...appServer, service: server.service },
    parent: { ...server, ...headers },
    confidence: 1,
    spoiledBy: [{ parent_span_id: 1n }, otherTrace, later, { kind: "client" }],
  },
  app_from_app: { child: appServer, parent: app, confidence: 1, spoiledBy: [otherTrace] },
  linked: {
    child: { ...client, parent_span_id: 70n, link_confidence: 0.6, link_evidence: "turn" },
    parent: incoming,
    confidence: 0.6,
    spoiledBy: [{ parent_span_id: 71n }, later, { link_confidence: 0 }],
  },
  delivery_from_publication: {
    child: handedOn,
    parent: taken,
    confidence: 0.98,
    spoiledBy: [
      ...[{ message_key: 6n }, { message_key: 9n }, { message_key: null }],
      ...[{ pid: 11 }, { kind: "consumer" }, { parent_span_id: 1n }, longBefore] as const,
    ],
  },
  consumer_from_producer: {
    child: consumed,
    parent: published,
    confidence: 0.98,
    spoiledBy: [
      ...[{ message_key: 6n }, { message_key: 9n }, protocolOfOther, { parent_span_id: 1n }],
      ...[{ kind: "producer" }, longBefore] as const,
    ],
  },
  client_from_server_by_request_id: {
    child: { ...client, x_request_id: "r1" },
    parent: incoming,
    confidence: 0.95,
    spoiledBy: [{ x_request_id: "r2" }, { pid: 99 }, later],
  },
  server_from_remote_app: {
    child: { ...server, ...headers },
    parent: app,
    confidence: 0.95,
    spoiledBy: [{ parent_id_header: "00000000000000ab" }, otherTrace, later],
  },
  server_from_client_by_header: {
    child: { ...server, ...headers },
    parent: { ...client, ...headers },
    confidence: 0.9,
    spoiledBy: [otherTrace, { parent_id_header: "01" }, { pid: client.pid }, { resource: "/x" }],
  },
  server_from_client_by_request_id: {
    child: { ...server, x_request_id: "r1" },
    parent: { ...client, x_request_id: "r1" },
    confidence: 0.8,
    spoiledBy: [{ x_request_id: "r2" }, { pid: client.pid }, { resource: "/x" }, later],
  },
  orphan_app_from_server: {
    child: { ...appServer, parent_span_id: null },
    parent: { ...server, trace_id_header: traceId, service: appServer.service },
    confidence: 0.7,
    spoiledBy: [otherTrace, { service: "x" }, later],
  },
};

for (const rule of PARENT_RULES) {
  Deno.test(`parent rule ${rule.name}`, () => {
    const found = cases[rule.name];
    assert.ok(found !== undefined, `no case for ${rule.name}`);
    const { child, parent, confidence, spoiledBy } = found;
    const judge = (span: Span): number => {
      const key = rule.childKey(span);
      return key !== null && key === rule.parentKey(parent) ? rule.fits(span, parent) : 0;
    };
    assert.equal(judge(child), confidence);
    for (const change of spoiledBy) {
      assert.equal(judge({ ...child, ...change }), 0, JSON.stringify(Object.keys(change)));
    }
  });
}

Deno.test("a message may be read long after it was sent: the same one, at the same place", () => {
  const [hop] = PARENT_RULES.filter(({ name }) => name === "server_from_client");
  const sent = fixtureSpan({ kind: "producer", message_key: 7n });
  const read = { ...fixtureServerOf(sent), kind: "consumer", ...later } as const;
  assert.equal(hop?.fits(read, sent), 1);
  assert.equal(hop?.fits({ ...read, message_key: 9n }, sent), 0);
  assert.equal(hop?.fits({ ...read, ...longBefore, end_unix_ns: -9_000_000_000n }, sent), 0);
});

Deno.test("what is done for a message may come long after it was delivered", () => {
  const [linked] = PARENT_RULES.filter(({ name }) => name === "linked");
  const call = fixtureSpan({ parent_span_id: 83n, link_confidence: 0.99, link_evidence: "thread" });
  const late = { ...call, start_unix_ns: 30_000_000_000n, end_unix_ns: 30_000_000_001n };
  assert.equal(linked?.fits(late, consumed), 0.99);
  assert.equal(linked?.fits(late, { ...consumed, message_key: null }), 0);
  const before = { ...late, ...longBefore, end_unix_ns: -9_000_000_000n };
  assert.equal(linked?.fits(before, consumed), 0);
});

Deno.test("the ends of a hop meet at one key, which is the key of every hop rule", () => {
  for (const rule of HOP_RULES) {
    const found = cases[rule.name];
    assert.ok(found !== undefined);
    assert.equal(hopKey(found.child), rule.childKey(found.child));
    assert.equal(hopKey(found.parent), rule.parentKey(found.parent));
  }
});

Deno.test("datagrams on the network join the hop of their ends by ports, id and time", () => {
  const onNetwork = fixtureSpan({
    ...fixtureServerOf(dns),
    span_id: 60n,
    observer: "nic",
    kind: "",
    socket_id: 60n,
    start_unix_ns: 1_001_000n,
  });
  const further = { ...onNetwork, span_id: 61n, socket_id: 61n, start_unix_ns: 1_002_000n };
  const pairs = {
    nic_from_client: [onNetwork, dns],
    nic_from_nic: [further, onNetwork],
    server_from_nic: [fixtureServerOf(dns), further],
  } as const;
  for (const [name, [child, parent]] of Object.entries(pairs)) {
    const rule = HOP_RULES.find((each) => each.name === name);
    assert.ok(rule !== undefined);
    const judge = (span: Span) =>
      rule.childKey(span) === rule.parentKey(parent) ? rule.fits(span, parent) : 0;
    assert.equal(judge(child), 1, name);
    assert.equal(hopKey(child), rule.childKey(child));
    for (const change of [{ request_id: "8" }, later, { protocol: "ntp" }]) {
      assert.equal(judge({ ...child, ...change }), 0, name);
    }
  }
});

Deno.test("without answers, addresses or the whole request must agree", () => {
  const unanswered = { response_seq: null };
  const rule = PARENT_RULES.find((each) => each.name === "server_from_client");
  assert.ok(rule !== undefined);
  const translated = { ...server, ...unanswered, peer: "10.0.0.9:1" };
  assert.equal(rule.fits({ ...server, ...unanswered }, client), 1);
  assert.equal(rule.fits(translated, client), 0.8);
  assert.equal(rule.fits({ ...translated, clipped: true, resource: "/x" }, client), 0);
});
