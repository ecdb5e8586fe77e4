// SPDX-License-Identifier: Apache-2.0
// What is different between two assemblies of the same spans: which got another parent, by which
// rules, and which traces fell apart or grew together.

import type { Span } from "../../../model/span.ts";
import type { Trace, TraceNode } from "../trace.ts";

/** One way in which links differ. Rules are "" where there is no parent. */
export interface LinkChange {
  readonly before: string;
  readonly after: string;
  count: number;
  readonly example: {
    readonly child: Span;
    readonly parentBefore: Span | null;
    readonly parentAfter: Span | null;
    readonly traceId: string;
  };
}

export interface TraceChange {
  readonly traceId: string;
  readonly root: Span;
  /** How many traces of the other assembly its spans are in. */
  readonly parts: number;
}

export interface Comparison {
  readonly spans: number;
  readonly same: number;
  /** Another parent than before; none where there was one; one where there was none. */
  readonly moved: number;
  readonly lost: number;
  readonly gained: number;
  /** The same parent, by another rule or with another confidence. */
  readonly sameParentOtherRule: number;
  /** The most frequent first. */
  readonly changes: readonly LinkChange[];
  readonly tracesBefore: number;
  readonly tracesAfter: number;
  /** Traces of before whose spans are in several afterwards, and the other way round. */
  readonly split: number;
  readonly merged: number;
  readonly splitExample: TraceChange | null;
  readonly mergedExample: TraceChange | null;
}

/** Name of the rule that decided for a link. */
export type RuleNamer = (node: TraceNode) => string;

interface Placed {
  readonly node: TraceNode;
  readonly trace: Trace;
}

export interface AssemblyComparison {
  /**
   * Takes both assemblies of some spans. Spans and traces that do not start within the time are
   * passed over: they are there as the surroundings of others.
   */
  readonly add: (
    before: readonly Trace[],
    after: readonly Trace[],
    within: { readonly sinceNs: bigint; readonly untilNs: bigint },
  ) => void;
  readonly result: () => Comparison;
}

export function compareAssemblies(
  ruleBefore: RuleNamer,
  ruleAfter: RuleNamer,
): AssemblyComparison {
  const changes = new Map<string, LinkChange>();
  const counts = { spans: 0, same: 0, moved: 0, lost: 0, gained: 0, sameParentOtherRule: 0 };
  const traces = { tracesBefore: 0, tracesAfter: 0, split: 0, merged: 0 };
  let splitExample: TraceChange | null = null;
  let mergedExample: TraceChange | null = null;

  function note(was: Placed, is: Placed): void {
    counts.spans++;
    const [parentBefore, parentAfter] = [parentOf(was), parentOf(is)];
    const before = parentBefore === null ? "" : ruleBefore(was.node);
    const after = parentAfter === null ? "" : ruleAfter(is.node);
    if (parentBefore?.span_id === parentAfter?.span_id) {
      counts.same++;
      if (before !== after) counts.sameParentOtherRule++;
      return;
    }
    if (parentAfter === null) counts.lost++;
    else if (parentBefore === null) counts.gained++;
    else counts.moved++;
    const key = `${before} ${after}`;
    const known = changes.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const { traceId } = was.trace;
    const example = { child: was.node.span, parentBefore, parentAfter, traceId };
    changes.set(key, { before, after, count: 1, example });
  }

  return {
    add(before, after, { sinceNs, untilNs }) {
      const isWithin = ({ start_unix_ns: ns }: Span) => ns >= sinceNs && ns < untilNs;
      const [placedBefore, placedAfter] = [placed(before), placed(after)];
      for (const [id, was] of placedBefore) {
        const is = placedAfter.get(id);
        if (is !== undefined && isWithin(was.node.span)) note(was, is);
      }
      for (const trace of before) {
        if (!isWithin(trace.root.span)) continue;
        traces.tracesBefore++;
        const parts = partsOf(trace, placedAfter);
        if (parts < 2) continue;
        traces.split++;
        splitExample ??= { traceId: trace.traceId, root: trace.root.span, parts };
      }
      for (const trace of after) {
        if (!isWithin(trace.root.span)) continue;
        traces.tracesAfter++;
        const parts = partsOf(trace, placedBefore);
        if (parts < 2) continue;
        traces.merged++;
        mergedExample ??= { traceId: trace.traceId, root: trace.root.span, parts };
      }
    },
    result: () => ({
      ...counts,
      ...traces,
      splitExample,
      mergedExample,
      changes: [...changes.values()].sort((a, b) => b.count - a.count),
    }),
  };
}

const parentOf = ({ node }: Placed): Span | null => node.link?.parent ?? null;

function placed(traces: readonly Trace[]): Map<bigint, Placed> {
  const places = new Map<bigint, Placed>();
  for (const trace of traces) {
    for (const node of trace.nodes) places.set(node.span.span_id, { node, trace });
  }
  return places;
}

/** In how many traces of the other assembly the spans of this one are. */
function partsOf(trace: Trace, others: ReadonlyMap<bigint, Placed>): number {
  const parts = new Set<Trace>();
  for (const { span } of trace.nodes) {
    const other = others.get(span.span_id);
    if (other !== undefined) parts.add(other.trace);
  }
  return parts.size;
}
