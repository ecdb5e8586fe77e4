// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Connection } from "../model/connection.ts";
import type { Exchange } from "../model/exchange.ts";
import type { LinkedExchange } from "../model/linked_exchange.ts";
import type { Message, MessageSeen } from "../model/message.ts";
import { NO_PROGRAM } from "../model/process.ts";
import { type Span, SPAN_COLUMNS, type SpanRevision } from "../model/span.ts";
import { enrich } from "./enrich.ts";
import { spanName } from "./enrichment/span_name.ts";

const S = 1_000_000_000n;
const UNIX = 1_700_000_000n * S;

const CONNECTION: Connection = {
  conn: 1,
  cookie: 77n,
  transport: "tcp",
  netns: 3,
  role: "server",
  local: { ip: "10.0.0.1", port: 80 },
  peer: { ip: "2001:db8::1", port: 40_000 },
  startNs: 1n * S,
  joinedMidstream: false,
  observer: "process",
  peerCookie: 0n,
};

const PROGRAM = { ...NO_PROGRAM, tgid: 42, comm: "python3", exe: "/usr/bin/python3" };

function seen(message: Partial<Message>, more: Partial<MessageSeen> = {}): MessageSeen {
  return {
    kind: "message",
    connection: CONNECTION,
    program: PROGRAM,
    protocol: "http",
    tid: 43,
    coroutine: 0n,
    turn: 0,
    direction: "ingress",
    message: {
      kind: "request",
      type: "",
      resource: "",
      domain: "",
      endpoint: "",
      code: null,
      status: "unknown",
      id: null,
      identity: null,
      fields: {},
      more: false,
      clipped: false,
      ...message,
    },
    startNs: 10n * S,
    emitNs: 10n * S,
    offset: 500,
    seq: 9000,
    bytes: 100,
    endTid: 43,
    ...more,
  };
}

const REQUEST = seen({
  type: "GET",
  resource: "/cart/7?x=1",
  domain: "shop.test",
  endpoint: "/cart/{id}",
  identity: { traceId: "abc", parentId: "def", requestId: "r-1" },
  fields: { method: "GET", agent: "curl" },
});
const RESPONSE = seen(
  { kind: "response", code: 503, status: "server_error", id: 5n, fields: { agent: "x", late: 1 } },
  { direction: "egress", startNs: 12n * S, emitNs: 13n * S, seq: -1 },
);

function exchange(parts: Partial<Exchange> = {}): Exchange {
  return {
    spanId: 0xabcn,
    connection: CONNECTION,
    program: { ...PROGRAM, argv: ["python3", "shop.py"], cgroupId: 8n },
    protocol: "http",
    kind: "server",
    request: REQUEST,
    response: RESPONSE,
    startNs: 10n * S,
    endNs: 14n * S,
    endTid: 43,
    endTurn: 0,
    bytesRequest: 100,
    bytesResponse: 2000,
    status: "server_error",
    shape: "exchange",
    lateFields: { late: 2 },
    clipped: true,
    ...parts,
  };
}

function enriched(linked: Partial<LinkedExchange>, readings: [bigint, bigint][] = []): Span {
  const emitted: SpanRevision[] = [];
  const stage = enrich.open({ host: "web-1" }, {
    emit: (revision) => void emitted.push(revision),
    side() {},
    drop() {},
  });
  stage.right({ kind: "clock", emitNs: 5n * S, bootNs: 5n * S, realNs: UNIX });
  for (const [bootNs, realNs] of readings) {
    stage.right({ kind: "clock", emitNs: bootNs, bootNs, realNs });
  }
  stage.left({ exchange: exchange(), candidates: [], revision: 0, ...linked });
  const [first] = emitted;
  assert.ok(first !== undefined);
  assert.equal(first.candidates, linked.candidates ?? first.candidates);
  return first.span;
}

Deno.test("enrich: a span has every column, in their order", () => {
  const span = enriched({});
  assert.deepEqual(Object.keys(span), Object.keys(SPAN_COLUMNS));
  assert.deepEqual(span, {
    span_id: 0xabcn,
    parent_span_id: null,
    link_evidence: "",
    link_confidence: 0,
    revision: 0,
    kind: "server",
    observer: "process",
    protocol: "http",
    name: "GET /cart/{id}",
    request_type: "GET",
    resource: "/cart/7?x=1",
    domain: "shop.test",
    endpoint: "/cart/{id}",
    response_code: 503,
    status: "server_error",
    shape: "exchange",
    request_id: null,
    start_unix_ns: UNIX + 5n * S,
    end_unix_ns: UNIX + 9n * S,
    first_byte_unix_ns: UNIX + 7n * S,
    host: "web-1",
    pid: 42,
    tid: 43,
    process: "python3",
    exe: "/usr/bin/python3",
    service: "shop",
    container: "",
    cgroup_id: 8n,
    netns: 3,
    transport: "tcp",
    local: "10.0.0.1:80",
    peer: "[2001:db8::1]:40000",
    socket_id: 77n,
    peer_socket_id: 0n,
    request_offset: 500,
    request_seq: 9000,
    response_seq: null,
    trace_id_header: "abc",
    parent_id_header: "def",
    x_request_id: "r-1",
    message_key: null,
    bytes_request: 100,
    bytes_response: 2000,
    is_tls: false,
    clipped: true,
    gaps: "",
    attributes: { method: "GET", agent: "x", late: 2 },
  });
});

Deno.test("enrich: the winner of the candidates is the parent", () => {
  const candidate = {
    span_id: 0xabcn,
    evidence: "thread",
    score: 0.9,
    votes: "",
    among: 1,
  } as const;
  const span = enriched({
    candidates: [
      { ...candidate, parent_id: 5n, rank: 0 },
      { ...candidate, parent_id: 6n, rank: 1 },
    ],
    revision: 3,
  });
  assert.deepEqual(
    [span.parent_span_id, span.link_evidence, span.link_confidence, span.revision],
    [5n, "thread", 0.9, 3],
  );
});

Deno.test("enrich: a step of the clock within a span does not bend its duration", () => {
  const span = enriched({}, [[12n * S, UNIX - 3600n * S]]);
  assert.equal(span.start_unix_ns, UNIX + 5n * S);
  assert.equal(span.end_unix_ns, UNIX + 9n * S);
});

Deno.test("enrich: what only the response tells, and packets", () => {
  const alone = enriched({
    exchange: exchange({ request: null, shape: "response_only", lateFields: null }),
  });
  assert.deepEqual(
    [alone.request_offset, alone.request_seq, alone.tid, alone.request_id, alone.attributes],
    [0, null, 43, "5", { agent: "x", late: 1 }],
  );
  const open = enriched({
    exchange: exchange({ response: null, shape: "open", lateFields: null }),
  });
  assert.deepEqual([open.first_byte_unix_ns, open.response_code], [null, null]);
  const connection: Connection = { ...CONNECTION, observer: "nic" };
  const packet = enriched({ exchange: exchange({ connection, program: NO_PROGRAM }) });
  assert.deepEqual([packet.kind, packet.observer, packet.service, packet.pid], ["", "nic", "", 0]);

  // Ports had named the wrong end the server: who asks is the client.
  const turned = enriched({
    exchange: exchange({
      connection: { ...connection, role: "unknown" },
      kind: "client",
      program: NO_PROGRAM,
    }),
  });
  assert.deepEqual([turned.local, turned.peer], [packet.peer, packet.local]);
});

Deno.test("enrich: span names as OpenTelemetry forms them", () => {
  assert.equal(spanName("http", "GET", ""), "GET");
  assert.equal(spanName("http", "GET", "/a/{id}"), "GET /a/{id}");
  assert.equal(spanName("redis", "SET", "SET"), "SET");
  assert.equal(spanName("postgresql", "QUERY", "SELECT users"), "SELECT users");
  assert.equal(spanName("mysql", "SELECT", "SELECT users"), "SELECT users");
  assert.equal(spanName("grpc", "POST", "shop.Cart/Add"), "shop.Cart/Add");
  assert.equal(spanName("kafka", "Produce", "orders"), "Produce orders");
  assert.equal(spanName("unknown", "", ""), "unknown");
});
