// SPDX-License-Identifier: Apache-2.0
// Spans with the links that they would have had without some rules.

import type { Candidate } from "../../../model/link.ts";
import type { Span } from "../../../model/span.ts";
import type { AssemblyRules } from "../assembly_rules.ts";
import { reweigh } from "./reweigh.ts";

/** The candidates of each child. */
export type CandidatesByChild = ReadonlyMap<bigint, readonly Candidate[]>;

/** The same spans, those with another link changed. */
export function relink(
  spans: readonly Span[],
  candidates: CandidatesByChild,
  { without }: AssemblyRules,
): Span[] {
  if (without.size === 0) return [...spans];
  return spans.map((span) => relinked(span, candidates.get(span.span_id) ?? [], without));
}

function relinked(
  span: Span,
  stored: readonly Candidate[],
  without: ReadonlySet<string>,
): Span {
  const weighed = reweigh(stored, without);
  if (weighed === stored) return span;
  const [winner] = weighed;
  return {
    ...span,
    parent_span_id: winner?.parent_id ?? null,
    link_evidence: winner?.evidence ?? "",
    link_confidence: winner?.score ?? 0,
  };
}

/** By child, each list by rank. */
export function byChild(candidates: Iterable<Candidate>): Map<bigint, Candidate[]> {
  const lists = new Map<bigint, Candidate[]>();
  for (const candidate of candidates) {
    const list = lists.get(candidate.span_id);
    if (list === undefined) lists.set(candidate.span_id, [candidate]);
    else list.push(candidate);
  }
  for (const list of lists.values()) list.sort((a, b) => a.rank - b.rank);
  return lists;
}
