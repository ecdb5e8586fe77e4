// SPDX-License-Identifier: Apache-2.0
// The assembled traces of a store, window by window of its time, so that no more than a window has
// to be in memory.

import type { Span } from "../../model/span.ts";
import { assembleAll } from "../../queries/assembly/assemble_all.ts";
import { ALL_RULES, type AssemblyRules } from "../../queries/assembly/assembly_rules.ts";
import { type CandidatesByChild, relink } from "../../queries/assembly/reassembly/relink.ts";
import { candidatesWithin } from "../../queries/assembly/reassembly/stored_candidates.ts";
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

/** Some of the time of a store: its spans, and those at its sides that their traces may need. */
export interface StoredWindow {
  readonly sinceNs: bigint;
  readonly untilNs: bigint;
  readonly spans: readonly Span[];
  /** Their possible parents; empty unless asked for. */
  readonly candidates: CandidatesByChild;
}

export interface StoredWindows {
  /** Start of the earliest span. */
  readonly startNs: bigint;
  readonly windows: AsyncIterable<StoredWindow>;
}

/** The traces that begin within the range, whole and once each, in order of start. */
export async function readStoredTraces(
  store: Pick<Store, "query">,
  range: StoredRange,
  rules: AssemblyRules = ALL_RULES,
): Promise<StoredTraces> {
  const { startNs, windows } = await readStoredWindows(store, range, rules.without.size > 0);
  return { startNs, batches: tracesOf(windows, rules) };
}

async function* tracesOf(
  windows: AsyncIterable<StoredWindow>,
  rules: AssemblyRules,
): AsyncGenerator<Trace[]> {
  for await (const { sinceNs, untilNs, spans, candidates } of windows) {
    yield assembleAll(relink(spans, candidates, rules), rules)
      .filter(({ startNs }) => startNs >= sinceNs && startNs < untilNs);
  }
}

/** The range in windows that fit in memory, in order; each has wide margins. */
export async function readStoredWindows(
  store: Pick<Store, "query">,
  range: StoredRange,
  withCandidates: boolean,
): Promise<StoredWindows> {
  const result = await store.query(
    "SELECT count(*) AS n, min(start_unix_ns) AS first, max(start_unix_ns) AS last FROM spans",
  );
  const [facts] = result.rows();
  const spans = Number(facts?.["n"] ?? 0);
  if (spans === 0) return { startNs: 0n, windows: noWindows() };
  const bounds = {
    firstNs: later(BigInt(String(facts?.["first"])), range.sinceNs),
    endNs: earlier(BigInt(String(facts?.["last"])) + 1n, range.untilNs),
  };
  const windows = BigInt(Math.ceil(spans / WINDOW_SPANS));
  const wholeNs = BigInt(String(facts?.["last"])) - BigInt(String(facts?.["first"])) + 1n;
  const windowNs = later(wholeNs / windows + 1n, WINDOW_NS_MIN);
  return { startNs: bounds.firstNs, windows: windowsOf(store, bounds, windowNs, withCandidates) };
}

async function* windowsOf(
  store: Pick<Store, "query">,
  { firstNs, endNs }: { readonly firstNs: bigint; readonly endNs: bigint },
  windowNs: bigint,
  withCandidates: boolean,
): AsyncGenerator<StoredWindow> {
  const marginNs = earlier(windowNs, MARGIN_NS_MAX);
  for (let sinceNs = firstNs; sinceNs < endNs; sinceNs += windowNs) {
    const untilNs = earlier(sinceNs + windowNs, endNs);
    const wide = { sinceNs: sinceNs - marginNs, untilNs: untilNs + marginNs };
    yield {
      sinceNs,
      untilNs,
      spans: await readStoredSpans(store, wide),
      candidates: withCandidates ? await candidatesWithin(store, wide) : new Map(),
    };
  }
}

async function* noWindows(): AsyncGenerator<StoredWindow> {}

function later(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a > b ? a : b;
}

function earlier(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a < b ? a : b;
}
