// SPDX-License-Identifier: Apache-2.0
// The assembled traces of a store, window by window of its time, so that no more than a window has
// to be in memory.

import { assembleAll } from "../../queries/assembly/assemble_all.ts";
import type { Trace } from "../../queries/assembly/trace.ts";
import type { Store } from "../../queries/store/store.ts";
import { readStoredSpans } from "./stored_spans.ts";

/** Unix time; the end is not included. */
export interface StoredRange {
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
}

export interface StoredTraces {
  /** Start of the earliest span. */
  readonly startNs: bigint;
  readonly batches: AsyncIterable<Trace[]>;
}

/** Spans in a window, about; as many may lie in the margins at its sides. */
const WINDOW_SPANS = 50_000;
const WINDOW_NS_MIN = 10_000_000_000n;
/** Spans of a trace lie within this around its start; at most a window, where it is dense. */
const MARGIN_NS_MAX = 60_000_000_000n;

/** The traces that begin within the range, whole and once each, in order of start. */
export async function readStoredTraces(
  store: Pick<Store, "query">,
  range: StoredRange,
): Promise<StoredTraces> {
  const result = await store.query(
    "SELECT count(*) AS n, min(start_unix_ns) AS first, max(start_unix_ns) AS last FROM spans",
  );
  const [facts] = result.rows();
  const spans = Number(facts?.["n"] ?? 0);
  if (spans === 0) return { startNs: 0n, batches: noTraces() };
  const bounds = {
    firstNs: later(BigInt(String(facts?.["first"])), range.sinceNs),
    endNs: earlier(BigInt(String(facts?.["last"])) + 1n, range.untilNs),
  };
  const windows = BigInt(Math.ceil(spans / WINDOW_SPANS));
  const wholeNs = BigInt(String(facts?.["last"])) - BigInt(String(facts?.["first"])) + 1n;
  const windowNs = later(wholeNs / windows + 1n, WINDOW_NS_MIN);
  return { startNs: bounds.firstNs, batches: batchesOf(store, bounds, windowNs) };
}

async function* batchesOf(
  store: Pick<Store, "query">,
  { firstNs, endNs }: { readonly firstNs: bigint; readonly endNs: bigint },
  windowNs: bigint,
): AsyncGenerator<Trace[]> {
  const marginNs = earlier(windowNs, MARGIN_NS_MAX);
  for (let fromNs = firstNs; fromNs < endNs; fromNs += windowNs) {
    const toNs = earlier(fromNs + windowNs, endNs);
    const spans = await readStoredSpans(store, {
      sinceNs: fromNs - marginNs,
      untilNs: toNs + marginNs,
    });
    yield assembleAll(spans).filter(({ startNs }) => startNs >= fromNs && startNs < toNs);
  }
}

async function* noTraces(): AsyncGenerator<Trace[]> {}

function later(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a > b ? a : b;
}

function earlier(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a < b ? a : b;
}
