// SPDX-License-Identifier: Apache-2.0
// Spans for tests: an ordinary HTTP server span with whatever a test wants different.

import type { Span, SpanRevision } from "../../model/span.ts";

/** 2026-01-31T12:00:00Z in Unix nanoseconds: where the spans of tests start. */
export const FIXTURE_START_NS = 1_769_860_800_000_000_000n;

export function makeSpan(changes: Partial<Span>): Span {
  const start = changes.start_unix_ns ?? FIXTURE_START_NS;
  return {
    span_id: 1n,
    parent_span_id: null,
    link_evidence: "",
    link_confidence: 0,
    revision: 0,
    kind: "server",
    observer: "process",
    protocol: "http",
    name: "GET /orders/{id}",
    request_type: "GET",
    resource: "/orders/7",
    domain: "shop.example",
    endpoint: "/orders/{id}",
    response_code: 200,
    status: "ok",
    shape: "exchange",
    request_id: null,
    start_unix_ns: start,
    end_unix_ns: start + 5_000_000n,
    first_byte_unix_ns: start + 4_000_000n,
    host: "box",
    pid: 100,
    tid: 100,
    process: "node",
    exe: "/usr/bin/node",
    service: "orders",
    container: "",
    cgroup_id: 0n,
    netns: 4_026_531_840,
    transport: "tcp",
    local: "127.0.0.1:8080",
    peer: "127.0.0.1:50000",
    socket_id: 77n,
    peer_socket_id: 0n,
    request_offset: 0,
    request_seq: 1_000,
    response_seq: 2_000,
    trace_id_header: null,
    parent_id_header: null,
    x_request_id: null,
    message_key: null,
    bytes_request: 120,
    bytes_response: 480,
    is_tls: false,
    clipped: false,
    gaps: "",
    attributes: {},
    ...changes,
  };
}

export function makeRevision(changes: Partial<Span>): SpanRevision {
  return { span: makeSpan(changes), candidates: [] };
}
