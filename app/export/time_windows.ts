// SPDX-License-Identifier: Apache-2.0
// The time of a store in windows of about as many spans each, so that what has to be in memory
// does not depend on how dense they lie.

import type { Store } from "../../queries/store/store.ts";

/** Unix time; the end is not included. */
export interface StoredRange {
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
}

/** Times of spans' starts; ends are not included. */
export interface TimeWindow {
  readonly sinceNs: bigint;
  readonly untilNs: bigint;
  /** With margins: traces that start in the window may have spans there. */
  readonly wideSinceNs: bigint;
  readonly wideUntilNs: bigint;
}

export interface WindowLimits {
  /** Spans of a window, about: the time is counted in steps. */
  readonly spans: number;
  /** Spans in the margin at each side, about, which is never longer than MARGIN_NS_MAX. */
  readonly marginSpans: number;
}

/** Spans of a trace lie within this around its start; less where it is denser than the limits. */
const MARGIN_NS_MAX = 60_000_000_000n;
/** Smallest step in which spans are counted; larger where a store lasts longer than STEPS_MAX. */
const STEP_NS_MIN = 100_000_000n;
const STEPS_MAX = 100_000n;

export interface TimeWindows {
  /** Start of the earliest span of the range. */
  readonly startNs: bigint;
  /** In order; none if there are no spans. */
  readonly windows: readonly TimeWindow[];
}

export async function timeWindows(
  store: Pick<Store, "query">,
  range: StoredRange,
  limits: WindowLimits,
): Promise<TimeWindows> {
  const result = await store.query(
    "SELECT count(*) AS n, min(start_unix_ns) AS first, max(start_unix_ns) AS last FROM spans",
  );
  const [facts] = result.rows();
  if (Number(facts?.["n"] ?? 0) === 0) return { startNs: 0n, windows: [] };
  const firstNs = BigInt(String(facts?.["first"]));
  const endNs = BigInt(String(facts?.["last"])) + 1n;
  const bounds = { sinceNs: later(firstNs, range.sinceNs), untilNs: earlier(endNs, range.untilNs) };
  const stepNs = later((endNs - firstNs) / STEPS_MAX + 1n, STEP_NS_MIN);
  const counted = await store.query(
    `SELECT (start_unix_ns - $1) // $2 AS step, count(*) AS n FROM spans GROUP BY 1 ORDER BY 1`,
    [firstNs, stepNs],
  );
  const steps = counted.rows().map((row) => ({
    startNs: firstNs + BigInt(Number(row["step"])) * stepNs,
    spans: Number(row["n"]),
  }));
  return { startNs: bounds.sinceNs, windows: windowsOf(steps, stepNs, bounds, limits) };
}

/** Some of the time, and how many spans start in it. Steps without spans are left out. */
export interface CountedStep {
  readonly startNs: bigint;
  readonly spans: number;
}

export function windowsOf(
  steps: readonly CountedStep[],
  stepNs: bigint,
  { sinceNs, untilNs }: { readonly sinceNs: bigint; readonly untilNs: bigint },
  { spans: spansMax, marginSpans }: WindowLimits,
): TimeWindow[] {
  const windows: TimeWindow[] = [];
  const within = steps.map((step, index) => ({ ...step, index }))
    .filter(({ startNs }) => startNs + stepNs > sinceNs && startNs < untilNs);
  let [from, spans] = [0, 0];
  for (const [i, step] of within.entries()) {
    spans += step.spans;
    const next = within[i + 1];
    if (next !== undefined && spans + next.spans <= spansMax) continue;
    const first = within[from] ?? step;
    const window = {
      sinceNs: later(first.startNs, sinceNs),
      untilNs: earlier(step.startNs + stepNs, untilNs),
    };
    windows.push({
      ...window,
      wideSinceNs: window.sinceNs - marginNs(steps, first.index, -1, stepNs, marginSpans),
      wideUntilNs: window.untilNs + marginNs(steps, step.index, 1, stepNs, marginSpans),
    });
    [from, spans] = [i + 1, 0];
  }
  return windows;
}

/** How far a margin goes from a step on: as long as it is allowed, or one step at least. */
function marginNs(
  steps: readonly CountedStep[],
  from: number,
  way: 1 | -1,
  stepNs: bigint,
  spansMax: number,
): bigint {
  const edge = steps[from];
  if (edge === undefined) return MARGIN_NS_MAX;
  let spans = 0;
  for (let i = from + way;; i += way) {
    const step = steps[i];
    if (step === undefined) return MARGIN_NS_MAX;
    const apartNs = way * Number(step.startNs - edge.startNs) - Number(stepNs);
    if (apartNs >= MARGIN_NS_MAX) return MARGIN_NS_MAX;
    spans += step.spans;
    if (spans > spansMax) return later(BigInt(apartNs), stepNs);
  }
}

function later(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a > b ? a : b;
}

function earlier(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a < b ? a : b;
}
