// SPDX-License-Identifier: Apache-2.0
// Writes a line of JSON for every failed request of any protocol, as seen by each of its ends.
//
//     deno task trace --pipeline examples/failed_requests.ts > failed.ndjson

import { type Flow, formatId, MICROSECOND, MILLISECOND, type Span } from "spandrel";

const failures = new Set(["client_error", "server_error", "timeout", "reset"]);

export default function failedRequests(spans: Flow<Span>): Flow<unknown> {
  return spans
    .filter((span) => failures.has(span.status), "failed")
    .map((span) => ({
      time: new Date(Number(span.start_unix_ns / MILLISECOND)).toISOString(),
      span_id: formatId(span.span_id),
      process: `${span.process}[${span.pid}]`,
      kind: span.kind,
      protocol: span.protocol,
      name: span.name,
      resource: span.resource,
      peer: span.peer,
      status: span.status,
      response_code: span.response_code,
      ms: Number((span.end_unix_ns - span.start_unix_ns) / MICROSECOND) / 1_000,
    }), "row");
}
