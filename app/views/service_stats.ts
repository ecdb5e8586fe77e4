// SPDX-License-Identifier: Apache-2.0
// Rate, errors and latencies of each service over the last minute, in bounded memory.

import type { Span, SpanRevision } from "../../model/span.ts";
import { LogHistogram } from "./log_histogram.ts";
import { durationOf, errorOf } from "./recent_traces.ts";

/** A service as of now. Requests are what it answers, calls what it asks of others. */
export interface ServiceRow {
  readonly service: string;
  readonly protocols: string;
  readonly requestsPerS: number;
  readonly callsPerS: number;
  /** Share of requests (of calls, where there are no requests) that went wrong. */
  readonly errors: number;
  /** Of requests; of calls, where there are no requests. */
  readonly p50Ns: number | null;
  readonly p99Ns: number | null;
  /** Requests and calls since the start. */
  readonly total: number;
}

const SLICE_NS = 5_000_000_000n;
const SLICES = 12;
const SERVICES_MAX = 256;
const SPANS_REMEMBERED_MAX = 50_000;

/** What all services beyond the first 256 are counted under. */
export const OTHER_SERVICES = "(others)";

/** What one side did: answering requests, or calling others. */
interface Side {
  errors: number;
  readonly durations: LogHistogram;
}

interface Slice {
  startNs: bigint;
  readonly requests: Side;
  readonly calls: Side;
}

interface Service {
  readonly slices: Slice[];
  readonly protocols: Set<string>;
  firstNs: bigint;
  total: number;
}

export class ServiceStats {
  readonly #services = new Map<string, Service>();
  /** Ids counted already, so that revisions are not counted again. Two generations. */
  #counted = new Set<bigint>();
  #countedBefore = new Set<bigint>();

  /** Takes a span at a time of the clock that `rows` uses, too. */
  add({ span }: SpanRevision, nowNs: bigint): void {
    if (span.shape === "open" || this.#wasCounted(span.span_id)) return;
    const service = this.#serviceOf(serviceNameOf(span), nowNs);
    const slice = sliceAt(service, nowNs);
    const isCall = span.kind === "client" || span.kind === "producer";
    const side = isCall ? slice.calls : slice.requests;
    side.errors += errorOf(span);
    side.durations.add(durationOf(span));
    service.total++;
    if (service.protocols.size < 8) service.protocols.add(span.protocol);
  }

  /** All services, in no particular order. */
  rows(nowNs: bigint): ServiceRow[] {
    return [...this.#services].map(([service, state]) => rowOf(service, state, nowNs));
  }

  #wasCounted(id: bigint): boolean {
    if (this.#counted.has(id) || this.#countedBefore.has(id)) return true;
    this.#counted.add(id);
    if (this.#counted.size >= SPANS_REMEMBERED_MAX) {
      this.#countedBefore = this.#counted;
      this.#counted = new Set();
    }
    return false;
  }

  #serviceOf(name: string, nowNs: bigint): Service {
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    if (this.#services.size >= SERVICES_MAX && name !== OTHER_SERVICES) {
      return this.#serviceOf(OTHER_SERVICES, nowNs);
    }
    const service = { slices: [], protocols: new Set<string>(), firstNs: nowNs, total: 0 };
    this.#services.set(name, service);
    return service;
  }
}

/** The service of a span, or the address that answers where no process was seen. */
export function serviceNameOf(span: Span): string {
  if (span.service !== "") return span.service;
  if (span.process !== "") return span.process;
  return span.kind === "client" ? span.peer : span.local;
}

function sliceAt(service: Service, nowNs: bigint): Slice {
  const startNs = nowNs - nowNs % SLICE_NS;
  const newest = service.slices.at(-1);
  if (newest !== undefined && newest.startNs >= startNs) return newest;
  const slice = service.slices.length < SLICES ? newSlice() : service.slices.shift() ?? newSlice();
  slice.startNs = startNs;
  clear(slice.requests);
  clear(slice.calls);
  service.slices.push(slice);
  return slice;
}

function newSlice(): Slice {
  return { startNs: 0n, requests: newSide(), calls: newSide() };
}

function newSide(): Side {
  return { errors: 0, durations: new LogHistogram() };
}

function clear(side: Side): void {
  side.errors = 0;
  side.durations.clear();
}

function rowOf(service: string, state: Service, nowNs: bigint): ServiceRow {
  const oldestNs = nowNs - BigInt(SLICES) * SLICE_NS;
  const [requests, calls] = [newSide(), newSide()];
  for (const slice of state.slices) {
    if (slice.startNs <= oldestNs) continue;
    for (const [sum, side] of [[requests, slice.requests], [calls, slice.calls]] as const) {
      sum.errors += side.errors;
      sum.durations.addAll(side.durations);
    }
  }
  const sinceNs = state.firstNs > oldestNs ? state.firstNs : oldestNs;
  const seconds = Math.max(1, Number(nowNs - sinceNs) / 1e9);
  const { errors, durations } = requests.durations.total > 0 ? requests : calls;
  return {
    service,
    protocols: [...state.protocols].sort().join(","),
    requestsPerS: requests.durations.total / seconds,
    callsPerS: calls.durations.total / seconds,
    errors: durations.total === 0 ? 0 : errors / durations.total,
    p50Ns: durations.quantile(0.5),
    p99Ns: durations.quantile(0.99),
    total: state.total,
  };
}
