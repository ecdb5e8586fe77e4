// SPDX-License-Identifier: Apache-2.0
// The spans of a store window by window, with their possible parents: for assemblies by other
// rules, which may join any of them.

import type { Span } from "../../model/span.ts";
import type { CandidatesByChild } from "../../queries/assembly/reassembly/relink.ts";
import { candidatesWithin } from "../../queries/assembly/reassembly/stored_candidates.ts";
import type { Store } from "../../queries/store/store.ts";
import { readStoredSpans } from "./stored_spans.ts";
import { type StoredRange, type TimeWindow, timeWindows } from "./time_windows.ts";

/** Some of the time of a store: its spans, and those at its sides that their traces may need. */
export interface StoredWindow {
  readonly sinceNs: bigint;
  readonly untilNs: bigint;
  readonly spans: readonly Span[];
  /** Their possible parents. */
  readonly candidates: CandidatesByChild;
}

export interface StoredWindows {
  /** Start of the earliest span. */
  readonly startNs: bigint;
  readonly windows: AsyncIterable<StoredWindow>;
}

/** Spans in memory at a time: a window and its margins, each with its candidates. */
const LIMITS = { spans: 20_000, marginSpans: 15_000 };

/** The range in order, in windows that fit in memory. */
export async function storedWindows(
  store: Pick<Store, "query">,
  range: StoredRange,
): Promise<StoredWindows> {
  const { startNs, windows } = await timeWindows(store, range, LIMITS);
  return { startNs, windows: spansOf(store, windows) };
}

async function* spansOf(
  store: Pick<Store, "query">,
  windows: readonly TimeWindow[],
): AsyncGenerator<StoredWindow> {
  for (const { sinceNs, untilNs, wideSinceNs, wideUntilNs } of windows) {
    const wide = { sinceNs: wideSinceNs, untilNs: wideUntilNs };
    const spans = await readStoredSpans(store, wide);
    yield { sinceNs, untilNs, spans, candidates: await candidatesWithin(store, wide) };
  }
}
