// SPDX-License-Identifier: Apache-2.0
// Spans for tests and benchmarks: plausible traffic of a small shop, the same for the same number.

import type { Candidate } from "../../model/link.ts";
import type { Span, SpanRevision } from "../../model/span.ts";

/** 2023-11-14T22:13:20Z. */
export const FIXTURE_START_NS = 1_700_000_000_000_000_000n;

/** The n-th span; one starts every 100 µs and takes 2.5 ms. */
export function makeSpan(n: number, changes: Partial<Span> = {}): Span {
  const start = FIXTURE_START_NS + BigInt(n) * 100_000n;
  const part = PARTS[n % PARTS.length] ?? PARTS[0];
  return {
    span_id: spanId(n),
    parent_span_id: n % 4 === 0 ? null : spanId(n - 1),
    link_evidence: n % 4 === 0 ? "" : "thread",
    link_confidence: n % 4 === 0 ? 0 : 0.98,
    revision: 0,
    kind: n % 2 === 0 ? "server" : "client",
    observer: "process",
    ...part(n),
    domain: "shop.example",
    status: n % 50 === 0 ? "server_error" : "ok",
    shape: "exchange",
    request_id: null,
    start_unix_ns: start,
    end_unix_ns: start + 2_500_000n,
    first_byte_unix_ns: start + 2_000_000n,
    host: "web-1",
    pid: 1000 + n % 20,
    tid: 1000 + n % 300,
    process: "python3",
    exe: "/usr/bin/python3.11",
    service: `shop-${n % 20}`,
    container: "0123456789ab",
    cgroup_id: 4_000n + BigInt(n % 20),
    netns: 4_026_531_840,
    transport: "tcp",
    local: `10.0.0.${n % 20}:${30_000 + (n >> 4) % 2_000}`,
    peer: `10.0.1.${n % 8}:5432`,
    socket_id: BigInt(n >> 6),
    peer_socket_id: 0,
    request_offset: (n % 64) * 500,
    request_seq: (n * 500) >>> 0,
    response_seq: (n * 900) >>> 0,
    trace_id_header: null,
    parent_id_header: null,
    x_request_id: n % 6 === 0 ? `b7f3c1d2-${n}` : null,
    message_key: null,
    bytes_request: 500 + n % 300,
    bytes_response: 900 + n % 5_000,
    is_tls: false,
    clipped: false,
    gaps: "",
    ...changes,
  };
}

/** The n-th span with one candidate parent. */
export function makeRevision(n: number, changes: Partial<Span> = {}): SpanRevision {
  const span = makeSpan(n, changes);
  const parent_id = span.parent_span_id ?? spanId(n + 1);
  const candidate: Candidate = {
    span_id: span.span_id,
    parent_id,
    evidence: "thread",
    score: 0.9,
    rank: 0,
    votes: "thread=0.998",
    among: 3,
  };
  return { span, candidates: [candidate] };
}

function spanId(n: number): bigint {
  return BigInt.asUintN(64, BigInt(n) * 0x9e37_79b9_7f4a_7c15n);
}

type Part = Pick<
  Span,
  "protocol" | "name" | "request_type" | "resource" | "endpoint" | "response_code" | "attributes"
>;

const http = (n: number): Part => ({
  protocol: "http",
  name: "GET /products/{id}",
  request_type: "GET",
  resource: `/products/${n * 7919 % 100_000}?ref=home`,
  endpoint: "/products/{id}",
  response_code: n % 50 === 0 ? 500 : 200,
  attributes: {
    "http.request.method": "GET",
    "url.path": `/products/${n * 7919 % 100_000}`,
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
    "network.protocol.version": "1.1",
    "http.response.body.size": 900 + n % 5_000,
  },
});

const redis = (n: number): Part => ({
  protocol: "redis",
  name: "GET",
  request_type: "GET",
  resource: `cart:${n % 50_000}`,
  endpoint: "GET",
  response_code: null,
  attributes: { "db.query.text": "GET ?", "db.response.found": n % 3 > 0 },
});

const postgresql = (n: number): Part => ({
  protocol: "postgresql",
  name: "SELECT products",
  request_type: "SELECT",
  resource: "select id, name, price from products where id = ? and shop = ?",
  endpoint: "select products",
  response_code: null,
  attributes: { "db.namespace": "shop", "db.response.rows": n % 7 },
});

const PARTS = [http, redis, postgresql] as const;
