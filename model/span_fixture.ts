// SPDX-License-Identifier: Apache-2.0
// Spans for tests: a plain HTTP client span of which a test changes what matters to it.

import type { Span } from "./span.ts";

export function fixtureSpan(over: Partial<Span> = {}): Span {
  return {
    span_id: 1n,
    parent_span_id: null,
    link_evidence: "",
    link_confidence: 0,
    revision: 0,
    kind: "client",
    observer: "process",
    protocol: "http",
    name: "GET /",
    request_type: "GET",
    resource: "/",
    domain: "",
    endpoint: "/",
    response_code: 200,
    status: "ok",
    shape: "exchange",
    request_id: null,
    start_unix_ns: 1_000_000n,
    end_unix_ns: 2_000_000n,
    first_byte_unix_ns: null,
    host: "a",
    pid: 10,
    tid: 10,
    process: "curl",
    exe: "/usr/bin/curl",
    service: "curl",
    container: "",
    cgroup_id: 0n,
    netns: 1,
    transport: "tcp",
    local: "127.0.0.1:40000",
    peer: "127.0.0.1:80",
    socket_id: 100n,
    peer_socket_id: 0n,
    request_offset: 0,
    request_seq: 5_000,
    response_seq: 9_000,
    trace_id_header: null,
    parent_id_header: null,
    x_request_id: null,
    message_key: null,
    bytes_request: 100,
    bytes_response: 200,
    is_tls: false,
    clipped: false,
    gaps: "",
    attributes: {},
    ...over,
  };
}

/** The server's end of the hop whose client's end is given. */
export function fixtureServerOf(client: Span, over: Partial<Span> = {}): Span {
  return {
    ...client,
    span_id: client.span_id + 1_000n,
    kind: "server",
    start_unix_ns: client.start_unix_ns + 10_000n,
    end_unix_ns: client.end_unix_ns - 10_000n,
    pid: client.pid + 1,
    process: "server",
    service: "server",
    local: client.peer,
    peer: client.local,
    socket_id: client.peer_socket_id === 0n ? BigInt(client.socket_id) + 1n : client.peer_socket_id,
    peer_socket_id: client.transport === "unix" ? client.socket_id : 0n,
    parent_span_id: null,
    link_evidence: "",
    link_confidence: 0,
    ...over,
  };
}
