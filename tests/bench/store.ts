// SPDX-License-Identifier: Apache-2.0
// How fast spans go into the store, in memory and on a file, and what the store itself costs.

import type { SpanRevision } from "../../model/span.ts";
import { encodeBatch } from "../../queries/store/span_batch.ts";
import { makeRevision } from "../../queries/store/span_fixture.ts";
import { openStore, type Store } from "../../queries/store/store.ts";

export interface StoreReport {
  /** Medians over the rounds. Each span comes with one candidate parent. */
  readonly memorySpansPerSecond: number;
  /** With an fsync after each commit, and checkpoints. */
  readonly fileSpansPerSecond: number;
  /** Time that the capturing thread spends on one span. */
  readonly encodeNsPerSpan: number;
  /** Of the spans that had to replace an earlier revision, one in ten of a batch. */
  readonly revisedSpansPerSecond: number;
  readonly openMs: number;
  readonly reopenMs: number;
  readonly reopenedSpans: number;
  readonly fileBytesPerSpan: number;
  /** Growth of the process by an open, empty store. */
  readonly emptyBytes: number;
}

const BATCH = 8_192;
const BATCHES = 10;
const ROUNDS = 5;

export async function storeBench(): Promise<StoreReport> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-bench-" });
  try {
    const before = Deno.memoryUsage().rss;
    const [openMs, memory] = await timed(() => openStore());
    const emptyBytes = Deno.memoryUsage().rss - before;
    const batches = Array.from({ length: BATCHES }, (_, b) => makeBatch(b * BATCH));
    const [encodeMs] = await timed(() => Promise.resolve(batches.forEach(encodeBatch)));
    const memorySpansPerSecond = await rate(memory, () => batches);
    let revision = 0;
    const revisedSpansPerSecond = await rate(memory, () => revise(batches, ++revision));
    await memory.close();

    const path = `${folder}/spans.duckdb`;
    const file = await openStore({ path });
    const fileSpansPerSecond = await rate(file, () => batches);
    await file.close();
    const reopenedSpans = BATCH * BATCHES * ROUNDS;
    const fileBytesPerSpan = (await Deno.stat(path)).size / reopenedSpans;
    const [reopenMs, reopened] = await timed(() => openStore({ path }));
    await reopened.close();
    return {
      memorySpansPerSecond,
      fileSpansPerSecond,
      encodeNsPerSpan: encodeMs * 1e6 / (BATCH * BATCHES),
      revisedSpansPerSecond,
      openMs,
      reopenMs,
      reopenedSpans,
      fileBytesPerSpan,
      emptyBytes,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export function formatStoreReport(report: StoreReport): string {
  const k = (n: number) => `${(n / 1000).toFixed(1)} k spans/s`;
  const mb = (n: number) => `${(n / 1e6).toFixed(0)} MB`;
  return [
    "Store, spans with one candidate each",
    `  insert in memory       ${k(report.memorySpansPerSecond)}`,
    `  insert on a file       ${k(report.fileSpansPerSecond)}`,
    `  with 10 % revisions    ${k(report.revisedSpansPerSecond)}`,
    `  encoding               ${(report.encodeNsPerSpan / 1000).toFixed(1)} µs a span`,
    `  open, empty            ${report.openMs.toFixed(0)} ms, ${mb(report.emptyBytes)}`,
    `  reopen, ${(report.reopenedSpans / 1000).toFixed(0)} k spans    ${
      report.reopenMs.toFixed(0)
    } ms, ${report.fileBytesPerSpan.toFixed(0)} bytes a span`,
  ].join("\n");
}

/** Median rate of the rounds; as in the sink, one batch is encoded while another is stored. */
async function rate(store: Store, batchesOf: () => readonly SpanRevision[][]): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const batches = batchesOf();
    const [ms] = await timed(async () => {
      let underway: Promise<unknown> = Promise.resolve();
      for (const batch of batches) {
        const before = underway;
        underway = store.insertSpans(batch);
        await before;
      }
      await underway;
    });
    rates.push(BATCH * BATCHES / ms * 1000);
  }
  const { dropped } = store.stats();
  if (Object.keys(dropped).length > 0) throw new Error(`Cannot measure: ${store.stats().problem}`);
  return rates.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
}

function makeBatch(from: number): SpanRevision[] {
  return Array.from({ length: BATCH }, (_, i) => makeRevision(from + i));
}

/** Every tenth span as a later revision of one that is stored, the others as they are. */
function revise(batches: readonly SpanRevision[][], revision: number): SpanRevision[][] {
  return batches.map((batch) =>
    batch.map((item, i) => i % 10 > 0 ? item : { ...item, span: { ...item.span, revision } })
  );
}

async function timed<T>(work: () => Promise<T>): Promise<[number, T]> {
  const startMs = performance.now();
  const result = await work();
  return [performance.now() - startMs, result];
}

if (import.meta.main) console.log(formatStoreReport(await storeBench()));
