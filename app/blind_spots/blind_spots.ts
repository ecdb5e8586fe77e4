// SPDX-License-Identifier: Apache-2.0
// What the tracer could not see, by reason and by whose it was, and how many traces it touches.

import type { CaptureRecord, LossRecord, SocketEvent } from "../../model/capture_record.ts";
import type { Span } from "../../model/span.ts";
import { serviceName } from "../../operators/enrichment/service_name.ts";

/** Why something is not seen, as people read it. */
export const BLIND_REASONS = {
  tls: "encrypted: the connection is seen, not what it carries",
  older: "the connection is older than the tracer, which came in its middle",
  io_uring: "bytes passed by io_uring: sizes are seen, not what they are",
  sendfile: "bytes passed by sendfile: sizes are seen, not what they are",
  splice: "bytes passed by splice: sizes are seen, not what they are",
  clipped: "part of a message was not captured",
  unanswered: "a request without its response, or a response without its request",
} as const;

export type BlindReason = keyof typeof BLIND_REASONS;

export interface BlindSpot {
  /** One of BLIND_REASONS, or what was lost: a reason of drops. */
  readonly reason: string;
  /** The service concerned; empty where that is not known. */
  readonly service: string;
  /** Spans concerned; losses: how much was lost. */
  readonly count: number;
  /** Traces with such a span; null where traces were not put together. */
  readonly traces: number | null;
}

/** The reasons for which part of what a span should tell may be missing. */
export function blindReasonsOf(span: Span): BlindReason[] {
  const reasons: BlindReason[] = [];
  if (span.is_tls) reasons.push("tls");
  for (const gap of span.gaps === "" ? [] : span.gaps.split(" ")) {
    if (isReason(gap)) reasons.push(gap);
  }
  if (span.clipped) reasons.push("clipped");
  if (span.shape === "response_only" || span.status === "timeout") reasons.push("unanswered");
  return reasons;
}

function isReason(text: string): text is BlindReason {
  return Object.hasOwn(BLIND_REASONS, text);
}

/** Pairs of reason and service that are counted apart; further services are one. */
const PAIRS_MAX = 2_000;

interface Counts {
  readonly reason: string;
  readonly service: string;
  spans: number;
  traces: number;
}

/** A class for its counts. */
export class BlindSpots {
  readonly #counts = new Map<string, Counts>();
  #fresh = new Map<string, { reason: string; service: string; count: number }>();
  #hasTraces = false;

  addSpan(span: Span): void {
    if (!span.is_tls && span.gaps === "" && !span.clipped && span.shape === "exchange") return;
    for (const reason of blindReasonsOf(span)) {
      this.#countsOf(reason, span.service || span.process).spans++;
    }
  }

  addTrace(spans: Iterable<Span>): void {
    this.#hasTraces = true;
    const touched = new Set<Counts>();
    for (const span of spans) {
      for (const reason of blindReasonsOf(span)) {
        touched.add(this.#countsOf(reason, span.service || span.process));
      }
    }
    for (const counts of touched) counts.traces++;
  }

  /** Bytes that passed unseen, of which there may be no span at all. */
  addUnseen({ program, via }: SocketEvent): void {
    const service = serviceName(program);
    this.#countsOf(via, service).spans++;
    const key = `${via} ${service}`;
    const known = this.#fresh.get(key);
    if (known !== undefined) known.count++;
    else if (this.#fresh.size < PAIRS_MAX) this.#fresh.set(key, { reason: via, service, count: 1 });
  }

  /** What passed unseen since the last call. */
  takeUnseen(): { readonly reason: string; readonly service: string; readonly count: number }[] {
    const rows = [...this.#fresh.values()];
    this.#fresh = new Map();
    return rows;
  }

  /** The widest first. */
  rows(): BlindSpot[] {
    return [...this.#counts.values()].map(({ reason, service, spans, traces }) => ({
      reason,
      service,
      count: spans,
      traces: this.#hasTraces ? traces : null,
    })).sort((a, b) => (b.traces ?? 0) - (a.traces ?? 0) || b.count - a.count);
  }

  #countsOf(reason: string, service: string): Counts {
    const name = this.#counts.size < PAIRS_MAX ? service : "";
    const key = `${reason} ${name}`;
    let counts = this.#counts.get(key);
    if (counts === undefined) {
      this.#counts.set(key, counts = { reason, service: name, spans: 0, traces: 0 });
    }
    return counts;
  }
}

/** A record that tells of a loss, or of bytes that nobody saw. */
export function isBlind(record: CaptureRecord): record is LossRecord | SocketEvent {
  if (record.kind === "loss") return true;
  return record.kind === "data" && record.via !== "call" && record.via !== "packet" &&
    record.payload.length === 0 && record.length > 0;
}
