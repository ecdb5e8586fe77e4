// SPDX-License-Identifier: Apache-2.0
// The trace of one span: a search by shared keys, round by round, then parents by rule.
//
// The search is bounded in time around what it has found, because sequence numbers repeat within
// hours. It looks further back only while a parent is known by id and not found.

import { LIMITS } from "../../model/limits.ts";
import type { Span } from "../../model/span.ts";
import { ALL_RULES, type AssemblyRules } from "./assembly_rules.ts";
import { closureOf } from "./link_closure.ts";
import { SpanSearch } from "./span_search.ts";
import { noKeys, type SpanQuery, type TimeRange } from "./span_query.ts";
import { buildTraces, type Trace } from "./trace.ts";

/**
 * How far before the earliest span in hand the search looks, one step after the other: at last a
 * year, for streams that are open for days.
 */
const lookBacksNs = [1_000_000_000n, 30_000_000_000n, 600_000_000_000n, 31_536_000_000_000_000n];

/** How far after the latest end in hand; work that goes on after the answer starts soon. */
const lookAheadNs = 1_000_000_000n;

/** Null if no span of that id is in the range. Its search may leave the range. */
export async function assembleTrace(
  query: SpanQuery,
  spanId: bigint,
  range: TimeRange,
  rules: AssemblyRules = ALL_RULES,
): Promise<Trace | null> {
  const search = new SpanSearch(spanId);
  const first = await query.related(search.nextKeys(), range, 16);
  search.take(first);
  if (search.spans.size === 0) return null;
  await takeClosure(query, search);
  let lookBack = 0;
  let rounds = 1;
  let truncated = "";
  for (;;) {
    if (search.isExhausted) {
      if (!search.missesParents || ++lookBack >= lookBacksNs.length) break;
      search.askParentsAgain();
    }
    if (rounds++ >= LIMITS.assemblyRounds.value) {
      truncated = `the search was ended after ${rounds - 1} rounds`;
      break;
    }
    const left = LIMITS.assemblySpans.value - search.spans.size;
    if (left <= 0) {
      truncated = `the search was ended at ${search.spans.size} spans`;
      break;
    }
    const within = around(search, lookBacksNs[lookBack] ?? 0n);
    search.take(await query.related(search.nextKeys(), within, left, search.spans));
  }
  return holding(buildTraces(search.spans.values(), truncated, rules), spanId);
}

/** A short cut for what hangs together by numbers; the rounds find the rest. */
async function takeClosure(query: SpanQuery, search: SpanSearch): Promise<void> {
  const within = around(search, lookBacksNs[0] ?? 0n);
  const links = await query.links?.(within, closureRowsMax);
  if (!links) return;
  const { ids, firstUs, lastUs } = closureOf(
    links,
    search.spans.keys(),
    LIMITS.assemblySpans.value,
  );
  if (ids.length === 0) return;
  // Whole rows are read from their own time only: a store looks for them in all of a range.
  const fromNs = within.fromNs + BigInt(firstUs) * 1_000n;
  const toNs = within.fromNs + BigInt(lastUs + 1) * 1_000n;
  search.take(await query.related({ ...noKeys(), span_id: ids }, { fromNs, toNs }, ids.length));
}

/** Spans of a range that are worth reading at once. */
const closureRowsMax = 200_000;

function around({ startNs, endNs }: SpanSearch, lookBackNs: bigint): TimeRange {
  return { fromNs: startNs - lookBackNs, toNs: endNs + lookAheadNs };
}

function holding(traces: readonly Trace[], spanId: bigint): Trace | null {
  const isIt = ({ span }: { span: Span }) => span.span_id === spanId;
  return traces.find((trace) => trace.nodes.some(isIt)) ?? null;
}
