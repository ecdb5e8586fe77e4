// SPDX-License-Identifier: Apache-2.0
// Counts HTTP status codes per service and endpoint, in windows of ten seconds.
//
//     deno task trace --pipeline examples/status_codes.ts

import { type Flow, MILLISECOND, SECOND, type Span, tumbling } from "spandrel";

export default function statusCodes(spans: Flow<Span>): Flow<unknown> {
  return spans
    // Every request is seen by both its ends; the server's view counts each once.
    .filter((span) => span.protocol === "http" && span.kind === "server", "http_server")
    .filter((span) => span.response_code !== null, "answered")
    .keyed((span) => `${span.service} ${span.request_type} ${span.endpoint}`, {
      timeOf: (span) => span.end_unix_ns,
    })
    .window(tumbling(10n * SECOND, SECOND), {
      start: (): Record<string, number> => ({}),
      add(codes, { response_code }) {
        codes[`${response_code}`] = (codes[`${response_code}`] ?? 0) + 1;
        return codes;
      },
      result: (codes, endpoint, { startNs }) => ({
        from: new Date(Number(startNs / MILLISECOND)).toISOString(),
        endpoint,
        codes,
      }),
    }, "per_10_s");
}
