// SPDX-License-Identifier: Apache-2.0
// A batch of span revisions as the store's worker takes it. Only the last revision of a span in
// the batch is kept; spans of which an earlier one was stored before are named for replacement.

import { type Span, SPAN_COLUMNS, type SpanRevision } from "../../model/span.ts";
import { encodeRows } from "./encode_rows.ts";
import type { InsertRequest } from "./worker/messages.ts";
import { CANDIDATE_COLUMNS, REVISED_COLUMNS } from "./schema.ts";

/** How many of the first revisions hold `spansMax` different spans at most. */
export function revisionsOf(revisions: readonly SpanRevision[], spansMax: number): number {
  if (revisions.length <= spansMax) return revisions.length;
  const ids = new Set<bigint>();
  for (const [i, { span }] of revisions.entries()) {
    if (ids.size === spansMax && !ids.has(span.span_id)) return i;
    ids.add(span.span_id);
  }
  return revisions.length;
}

export function encodeBatch(revisions: readonly SpanRevision[]): InsertRequest {
  const last = new Map<bigint, SpanRevision>();
  const revised: { readonly span_id: bigint }[] = [];
  for (const revision of revisions) {
    const { span } = revision;
    const earlier = last.get(span.span_id);
    if (earlier === undefined && span.revision > 0) revised.push({ span_id: span.span_id });
    if (earlier === undefined || span.revision >= earlier.span.revision) {
      last.set(span.span_id, revision);
    }
  }
  const spans: Span[] = [];
  const candidates: object[] = [];
  for (const revision of last.values()) {
    spans.push(revision.span);
    for (const candidate of revision.candidates) candidates.push(candidate);
  }
  const starts = revised.map(({ span_id }) => last.get(span_id)?.span.start_unix_ns ?? 0n);
  return {
    kind: "insert",
    spanCount: spans.length,
    ...(spans.length === 0 ? {} : { spans: encodeRows(SPAN_COLUMNS, spans) }),
    ...(candidates.length === 0 ? {} : { candidates: encodeRows(CANDIDATE_COLUMNS, candidates) }),
    ...(revised.length === 0 ? {} : { revised: encodeRows(REVISED_COLUMNS, revised) }),
    revisedFromNs: starts.reduce((min, ns) => ns < min ? ns : min, starts[0] ?? 0n),
    newestNs: spans.reduce((max, { end_unix_ns: ns }) => ns > max ? ns : max, 0n),
  };
}
