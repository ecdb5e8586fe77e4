// SPDX-License-Identifier: Apache-2.0
// What assembly asks of a store: the spans of a time range that share any key with those in hand.

import type { Span } from "../../model/span.ts";

/** Unix time, both ends included. */
export interface TimeRange {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/**
 * Values to look for, by column: a span matches if any of its columns holds a value listed for it.
 * Empty lists match nothing.
 */
export interface SearchKeys {
  readonly span_id: readonly bigint[];
  readonly parent_span_id: readonly bigint[];
  readonly request_seq: readonly number[];
  /** Unix sockets only: either end. */
  readonly socket_id: readonly bigint[];
  readonly peer_socket_id: readonly bigint[];
  readonly trace_id_header: readonly string[];
  readonly x_request_id: readonly string[];
  /** Datagrams only: the protocol's own id. */
  readonly request_id: readonly string[];
}

export interface SpanQuery {
  /**
   * Spans that start within the range and match, each once, in its last revision where the store
   * knows it; at most `rowsMax`, earliest first.
   */
  readonly related: (
    keys: SearchKeys,
    range: TimeRange,
    rowsMax: number,
  ) => Promise<readonly Span[]>;
}
