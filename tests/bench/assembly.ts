// SPDX-License-Identifier: Apache-2.0
// How long it takes to assemble one trace among many stored spans, a very large one, and all.

import { formatId, type Span, type SpanRevision } from "../../model/span.ts";
import { fixtureServerOf, fixtureSpan } from "../../model/span_fixture.ts";
import { assembleAll } from "../../queries/assembly/assemble_all.ts";
import { assembleTrace } from "../../queries/assembly/assemble_trace.ts";
import { storeQuery } from "../../queries/assembly/store_query.ts";
import { openStore } from "../../queries/store/store.ts";
import { median } from "./median.ts";

export interface AssemblyReport {
  readonly storedSpans: number;
  readonly spansPerTrace: number;
  /** Medians. The first trace after the load, and the next ones. */
  readonly oneTraceFirstMs: number;
  readonly oneTraceMs: number;
  readonly oneTraceSlowestMs: number;
  /** A trace of 10,000 spans, in memory. */
  readonly largeTraceMs: number;
  /** All traces of 200,000 spans, in memory. */
  readonly allTracesMs: number;
}

/** Half the depth of a trace: client and server spans of so many services. */
const hops = 8;
const spansPerTrace = 2 * hops;
const startNs = 1_700_000_000_000_000_000n;
/** A trace starts so long after the one before: 16,000 spans a second. */
const stepNs = 1_000_000n;

export async function assemblyBench(storedSpans = 1_000_000): Promise<AssemblyReport> {
  await using store = await openStore();
  const traces = Math.floor(storedSpans / spansPerTrace);
  for (let first = 0; first < traces; first += batchTraces) {
    const batch: SpanRevision[] = [];
    for (let n = first; n < Math.min(traces, first + batchTraces); n++) {
      for (const span of makeTrace(n)) batch.push({ span, candidates: [] });
    }
    await store.insertSpans(batch);
  }
  const query = storeQuery(store);
  const times: number[] = [];
  for (let i = 0; i < 21; i++) {
    const n = Math.floor(traces * (i + 0.5) / 21);
    const spans = makeTrace(n);
    const span = spans[i % spans.length];
    if (span === undefined) continue;
    const range = { fromNs: span.start_unix_ns, toNs: span.start_unix_ns };
    const from = performance.now();
    const trace = await assembleTrace(query, span.span_id, range);
    times.push(performance.now() - from);
    if (trace?.nodes.length !== spansPerTrace) {
      const found = `${trace?.nodes.length ?? 0} of ${spansPerTrace} spans`;
      throw new Error(`Cannot measure assembly: span ${formatId(span.span_id)} led to ${found}`);
    }
  }
  return {
    storedSpans: traces * spansPerTrace,
    spansPerTrace,
    oneTraceFirstMs: times[0] ?? 0,
    oneTraceMs: median(times.slice(1)),
    oneTraceSlowestMs: Math.max(...times.slice(1)),
    largeTraceMs: timeOf(() => assembleAll(largeTrace())),
    allTracesMs: timeOf(() =>
      assembleAll(Array.from({ length: 12_500 }, (_, n) => makeTrace(n)).flat())
    ),
  };
}

export function formatAssemblyReport(report: AssemblyReport): string {
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const { storedSpans, spansPerTrace } = report;
  return [
    `Assembly, ${storedSpans.toLocaleString("en")} spans stored, ${spansPerTrace} a trace`,
    `  one trace, first       ${ms(report.oneTraceFirstMs)}`,
    `  one trace              ${ms(report.oneTraceMs)}, slowest ${ms(report.oneTraceSlowestMs)}`,
    `  10,000 spans in one    ${ms(report.largeTraceMs)}`,
    `  all of 200,000 spans   ${ms(report.allTracesMs)}`,
  ].join("\n");
}

const batchTraces = 512;

/** The n-th trace: each service calls the next. */
function makeTrace(n: number): Span[] {
  const spans: Span[] = [];
  for (let hop = 0; hop < hops; hop++) {
    const above = spans.at(-1);
    const id = BigInt.asUintN(64, BigInt(n * spansPerTrace + hop * 2 + 1) * 0x9e37_79b9_7f4a_7c15n);
    const seq = (n * hops + hop) * 977 >>> 0;
    const client = fixtureSpan({
      span_id: id,
      request_seq: seq,
      response_seq: seq ^ 0x5555,
      pid: 100 + hop,
      resource: `/items/${n % 1000}`,
      local: `10.0.0.${hop}:${30_000 + n % 20_000}`,
      peer: `10.0.0.${hop + 1}:80`,
      start_unix_ns: startNs + BigInt(n) * stepNs + BigInt(hop) * 100_000n,
      end_unix_ns: startNs + BigInt(n) * stepNs + 20_000_000n - BigInt(hop) * 100_000n,
      parent_span_id: above?.span_id ?? null,
      link_evidence: above === undefined ? "" : "thread",
      link_confidence: above === undefined ? 0 : 0.99,
    });
    const server = fixtureServerOf(client, { span_id: id ^ 1n << 63n, pid: 101 + hop });
    spans.push(client, server);
  }
  return spans;
}

/** A server that makes 9,999 calls. */
function largeTrace(): Span[] {
  const root = fixtureSpan({ span_id: 1n, kind: "server", end_unix_ns: 1_000_000_000n });
  const calls = Array.from({ length: 9_999 }, (_, i) =>
    fixtureSpan({
      span_id: BigInt(i + 2),
      request_seq: i,
      parent_span_id: 1n,
      link_evidence: "turn",
      link_confidence: 0.9,
      start_unix_ns: 1_000_000n + BigInt(i) * 50_000n,
      end_unix_ns: 1_020_000n + BigInt(i) * 50_000n,
    }));
  return [root, ...calls];
}

function timeOf(run: () => unknown): number {
  const from = performance.now();
  run();
  return performance.now() - from;
}
