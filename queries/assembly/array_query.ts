// SPDX-License-Identifier: Apache-2.0
// A SpanQuery over spans in memory: for traces of spans that are in no store, and for tests.

import type { Span } from "../../model/span.ts";
import { POSSIBLE_FROM } from "./assembly_rules.ts";
import type { SearchKeys, SpanQuery } from "./span_query.ts";

/** Scans all spans in each step: meant for some thousands. */
export function queryOf(spans: Iterable<Span>): Required<SpanQuery> {
  const all = [...spans];
  return {
    related(keys, range, rowsMax) {
      const isIt = matcher(keys);
      const found = all.filter((span) =>
        span.start_unix_ns >= range.fromNs && span.start_unix_ns <= range.toNs && isIt(span)
      );
      return Promise.resolve(found.slice(0, rowsMax));
    },
    links(range) {
      const found = all.filter((span) =>
        span.start_unix_ns >= range.fromNs && span.start_unix_ns <= range.toNs
      );
      return Promise.resolve({
        spanIds: found.map((span) => span.span_id),
        parentIds: found.map((span) =>
          span.link_confidence >= POSSIBLE_FROM ? span.parent_span_id : null
        ),
        requestSeqs: found.map((span) => span.request_seq),
        startsUs: found.map((span) => Number((span.start_unix_ns - range.fromNs) / 1_000n)),
      });
    },
  };
}

function matcher(keys: SearchKeys): (span: Span) => boolean {
  const ids = new Set(keys.span_id);
  const parents = new Set(keys.parent_span_id);
  const seqs = new Set(keys.request_seq);
  const traces = new Set(keys.trace_id_header);
  const requests = new Set(keys.x_request_id);
  const messages = new Set(keys.message_key);
  const datagrams = new Set(keys.request_id);
  const has = <T>(set: Set<T>, value: T | null) => value !== null && set.has(value);
  return (span) =>
    ids.has(span.span_id) ||
    (has(parents, span.parent_span_id) && span.link_confidence >= POSSIBLE_FROM) ||
    has(seqs, span.request_seq) || has(traces, span.trace_id_header) ||
    has(requests, span.x_request_id) ||
    (span.message_key !== null && messages.has(BigInt(span.message_key))) ||
    (span.transport === "udp" && has(datagrams, span.request_id)) ||
    (span.transport === "unix" && keys.unix.some(({ reader, offset }) =>
      offset === span.request_offset &&
      (BigInt(span.socket_id) === reader || BigInt(span.peer_socket_id) === reader)
    ));
}
