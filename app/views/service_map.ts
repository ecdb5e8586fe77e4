// SPDX-License-Identifier: Apache-2.0
// Who calls whom, how often and how fast: read off the hops of assembled traces.

import type { Span } from "../../model/span.ts";
import { LogHistogram } from "./log_histogram.ts";
import { durationOf, errorOf, type RecentTrace } from "./recent_traces.ts";
import { serviceNameOf } from "./service_stats.ts";

/** All calls of one service to another in one protocol. */
export interface ServiceEdge {
  /** Empty: callers that were not seen, such as customers. */
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly calls: number;
  readonly errors: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
}

interface Counting {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  errors: number;
  readonly durations: LogHistogram;
}

/** Edges beyond these are not counted: a map of more cannot be read. */
const EDGES_MAX = 1_000;

export class ServiceMap {
  readonly #edges = new Map<string, Counting>();

  /** Takes a trace once, when it has settled. */
  add({ spans }: RecentTrace): void {
    const byId = new Map(spans.map(({ span }) => [span.span_id, span]));
    const answered = new Set<bigint>();
    for (const { span } of spans) {
      if (span.kind !== "server" && span.kind !== "consumer") continue;
      const caller = span.parent_span_id === null ? undefined : byId.get(span.parent_span_id);
      const isHop = caller?.kind === "client" || caller?.kind === "producer";
      if (isHop) answered.add(caller.span_id);
      this.#count(isHop ? serviceNameOf(caller) : "", serviceNameOf(span), span, caller);
    }
    for (const { span } of spans) {
      if (span.kind !== "client" || answered.has(span.span_id)) continue;
      this.#count(serviceNameOf(span), span.domain || span.peer, span);
    }
  }

  /** Busiest first. */
  edges(): ServiceEdge[] {
    return [...this.#edges.values()].map(({ durations, ...edge }) => ({
      ...edge,
      calls: durations.total,
      p50Ns: durations.quantile(0.5) ?? 0,
      p99Ns: durations.quantile(0.99) ?? 0,
    })).sort((a, b) => b.calls - a.calls || (a.to < b.to ? -1 : 1));
  }

  /** Latency is what the caller waited, where the caller was seen. */
  #count(from: string, to: string, span: Span, caller?: Span): void {
    const key = JSON.stringify([from, to, span.protocol]);
    let edge = this.#edges.get(key);
    if (edge === undefined) {
      if (this.#edges.size >= EDGES_MAX) return;
      edge = { from, to, protocol: span.protocol, errors: 0, durations: new LogHistogram() };
      this.#edges.set(key, edge);
    }
    edge.errors += errorOf(span);
    edge.durations.add(durationOf(caller ?? span));
  }
}
