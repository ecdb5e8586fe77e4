// SPDX-License-Identifier: Apache-2.0
// The differences of two assemblies as one JSON object.

import { formatId, type Span } from "../../model/span.ts";
import type {
  Comparison,
  TraceChange,
} from "../../queries/assembly/reassembly/assembly_comparison.ts";

export function comparisonJson(result: Comparison): string {
  return JSON.stringify({
    spans: result.spans,
    same_parent: result.same,
    same_parent_other_rule: result.sameParentOtherRule,
    moved: result.moved,
    lost: result.lost,
    gained: result.gained,
    traces_before: result.tracesBefore,
    traces_after: result.tracesAfter,
    traces_split: result.split,
    traces_merged: result.merged,
    split_example: traceJson(result.splitExample),
    merged_example: traceJson(result.mergedExample),
    changes: result.changes.map(({ before, after, count, example }) => ({
      rule_before: before,
      rule_after: after,
      spans: count,
      example: {
        span_id: formatId(example.child.span_id),
        trace_id: example.traceId,
        parent_before: idOf(example.parentBefore),
        parent_after: idOf(example.parentAfter),
      },
    })),
  });
}

const idOf = (span: Span | null) => span === null ? null : formatId(span.span_id);

function traceJson(change: TraceChange | null) {
  if (change === null) return null;
  return { trace_id: change.traceId, root_span_id: idOf(change.root), parts: change.parts };
}
