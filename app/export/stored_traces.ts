// SPDX-License-Identifier: Apache-2.0
// The assembled traces of a store, some at a time: of the others only a few numbers per span are
// in memory, however densely they lie.

import type { Span } from "../../model/span.ts";
import { assembleAll } from "../../queries/assembly/assemble_all.ts";
import { ALL_RULES, type AssemblyRules } from "../../queries/assembly/assembly_rules.ts";
import { relink } from "../../queries/assembly/reassembly/relink.ts";
import type { Trace } from "../../queries/assembly/trace.ts";
import type { Store } from "../../queries/store/store.ts";
import { readSpanGroups, type SpanGroups } from "./span_groups.ts";
import { readStoredSpans } from "./stored_spans.ts";
import { storedWindows } from "./stored_windows.ts";
import { type StoredRange, type TimeWindow, timeWindows } from "./time_windows.ts";

export interface StoredTraces {
  /** Start of the earliest span. */
  readonly startNs: bigint;
  /** In order of start, but for traces that last long: they come once they are whole. */
  readonly batches: AsyncIterable<Trace[]>;
}

/** Spans of which numbers are in memory at a time: a window and its margins. */
const NUMBERED = { spans: 200_000, marginSpans: 200_000 };
/** Spans that are read at a time. */
const PAGE_SPANS = 8_192;
/** Spans that wait for others of their traces. More are assembled as they are. */
const WAITING_MAX = 150_000;

/** The traces that begin within the range, whole and once each. */
export async function readStoredTraces(
  store: Pick<Store, "query">,
  range: StoredRange,
  rules: AssemblyRules = ALL_RULES,
): Promise<StoredTraces> {
  if (rules.without.size > 0) {
    const { startNs, windows } = await storedWindows(store, range);
    return { startNs, batches: relinkedTraces(windows, rules) };
  }
  const { startNs, windows } = await timeWindows(store, range, NUMBERED);
  return { startNs, batches: tracesOf(store, windows, rules) };
}

/** Other links may join any spans, so that a window has to be in memory as a whole. */
async function* relinkedTraces(
  windows: Awaited<ReturnType<typeof storedWindows>>["windows"],
  rules: AssemblyRules,
): AsyncGenerator<Trace[]> {
  for await (const { spans, candidates, ...window } of windows) {
    yield startingWithin(assembleAll(relink(spans, candidates, rules), rules), window);
  }
}

async function* tracesOf(
  store: Pick<Store, "query">,
  windows: readonly TimeWindow[],
  rules: AssemblyRules,
): AsyncGenerator<Trace[]> {
  for (const window of windows) {
    const { wideSinceNs: sinceNs, wideUntilNs: untilNs } = window;
    const groups = await readSpanGroups(store, { sinceNs, untilNs });
    for await (const spans of wholeGroups(store, groups, isWanted(groups, window))) {
      yield startingWithin(assembleAll(spans, rules), window);
    }
  }
}

/** Which groups have a span that starts in the window; only these may have a trace that does. */
function isWanted({ startsNs, groups }: SpanGroups, { sinceNs, untilNs }: TimeWindow): Uint8Array {
  const wanted = new Uint8Array(groups.length);
  for (let span = 0; span < groups.length; span++) {
    const startNs = startsNs[span] ?? 0n;
    if (startNs >= sinceNs && startNs < untilNs) wanted[groups[span] ?? 0] = 1;
  }
  return wanted;
}

/** The spans of wanted groups, each group whole in one piece. */
async function* wholeGroups(
  store: Pick<Store, "query">,
  { startsNs, groups, lastOf }: SpanGroups,
  wanted: Uint8Array,
): AsyncGenerator<Span[]> {
  const waiting = new Map<number, Span[]>();
  let spansWaiting = 0;
  for (let from = 0, to = 0; from < groups.length; from = to) {
    to = pageEnd(startsNs, from);
    if (!groups.subarray(from, to).some((group) => wanted[group] === 1)) continue;
    const page = await readStoredSpans(store, {
      sinceNs: startsNs[from] ?? 0n,
      untilNs: (startsNs[to - 1] ?? 0n) + 1n,
    });
    if (page.length !== to - from) {
      throw new Error("Cannot read the spans: the file was changed by another program meanwhile");
    }
    const whole: Span[] = [];
    for (const [i, span] of page.entries()) {
      const group = groups[from + i] ?? 0;
      if (wanted[group] === 0) continue;
      const known = waiting.get(group);
      if (known === undefined) waiting.set(group, [span]);
      else known.push(span);
      spansWaiting++;
      if (lastOf[group] !== from + i) continue;
      for (const each of waiting.get(group) ?? []) whole.push(each);
      waiting.delete(group);
    }
    if (spansWaiting - whole.length > WAITING_MAX) {
      for (const spans of waiting.values()) for (const span of spans) whole.push(span);
      waiting.clear();
    }
    spansWaiting -= whole.length;
    yield whole;
  }
}

/** Behind the last span of a page; spans that start at the same time are in the same page. */
function pageEnd(startsNs: BigInt64Array, from: number): number {
  let to = Math.min(from + PAGE_SPANS, startsNs.length);
  while (to < startsNs.length && startsNs[to] === startsNs[to - 1]) to++;
  return to;
}

function startingWithin(
  traces: readonly Trace[],
  { sinceNs, untilNs }: { readonly sinceNs: bigint; readonly untilNs: bigint },
): Trace[] {
  return traces.filter((trace) => {
    const startNs = storedStart(trace);
    return startNs >= sinceNs && startNs < untilNs;
  });
}

/** As the clocks of the hosts told it: not as they are aligned, which may differ by window. */
function storedStart({ startNs, clocks, nodes }: Trace): bigint {
  if (clocks.length === 0) return startNs;
  const ahead = new Map(clocks.map(({ host, aheadNs }) => [host, aheadNs]));
  let first: bigint | null = null;
  for (const { span } of nodes) {
    const storedNs = span.start_unix_ns + (ahead.get(span.host) ?? 0n);
    if (first === null || storedNs < first) first = storedNs;
  }
  return first ?? startNs;
}
