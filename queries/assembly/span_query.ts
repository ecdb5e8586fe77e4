// SPDX-License-Identifier: Apache-2.0
// What assembly asks of a store: the spans of a time range that share any key with those in hand.

import type { Span } from "../../model/span.ts";
import type { LinkColumns } from "./link_closure.ts";

/** Unix time, both ends included. */
export interface TimeRange {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** The end of a unix socket that reads, and where in the stream the request begins. */
export interface UnixPlace {
  readonly reader: bigint;
  readonly offset: number;
}

/** Values to look for. A span that holds any of them matches. */
export interface SearchKeys {
  readonly span_id: readonly bigint[];
  readonly parent_span_id: readonly bigint[];
  readonly request_seq: readonly number[];
  readonly trace_id_header: readonly string[];
  readonly x_request_id: readonly string[];
  /** Messages of brokers as published, and as delivered where nothing else leads to them. */
  readonly message_key: readonly bigint[];
  /** Datagrams only: the protocol's own id. */
  readonly request_id: readonly string[];
  /** Servers read at `socket_id`, clients write to `peer_socket_id`. */
  readonly unix: readonly UnixPlace[];
}

export function noKeys(): SearchKeys {
  return {
    span_id: [],
    parent_span_id: [],
    request_seq: [],
    trace_id_header: [],
    x_request_id: [],
    message_key: [],
    request_id: [],
    unix: [],
  };
}

export interface SpanQuery {
  /**
   * Spans that start within the range and match; at most `rowsMax`. Those in hand may be left out.
   * Several revisions of one span may come, in any order.
   */
  readonly related: (
    keys: SearchKeys,
    range: TimeRange,
    rowsMax: number,
    inHand?: ReadonlyMap<bigint, Span>,
  ) => Promise<readonly Span[]>;
  /**
   * The numbers by which the spans that start within the range hang together; null if there are
   * more than `rowsMax`. A store without it is searched step by step.
   */
  readonly links?: (range: TimeRange, rowsMax: number) => Promise<LinkColumns | null>;
}
