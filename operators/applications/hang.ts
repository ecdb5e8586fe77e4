// SPDX-License-Identifier: Apache-2.0
// A span put below another one by one of the rules for parents, whatever it was linked to before.

import { type Candidate, CANDIDATES_MAX } from "../../model/link.ts";
import { withVote } from "../../model/links/votes.ts";
import { PARENT_RULES, type ParentRule } from "../../model/parent_rules.ts";
import type { SpanRevision } from "../../model/span.ts";

export function hang(
  { span, candidates }: SpanRevision,
  parentId: bigint,
  confidence: number,
  { name, evidence }: ParentRule,
): SpanRevision {
  const winner: Candidate = {
    span_id: span.span_id,
    parent_id: parentId,
    evidence,
    score: confidence,
    rank: 0,
    votes: withVote("", name, confidence),
    among: 1,
  };
  const others = candidates.filter(({ parent_id }) => parent_id !== parentId)
    .slice(0, CANDIDATES_MAX - 1).map((each, i) => ({ ...each, rank: i + 1 }));
  return {
    span: {
      ...span,
      parent_span_id: parentId,
      link_evidence: evidence,
      link_confidence: confidence,
    },
    candidates: [winner, ...others],
  };
}

export function ruleNamed(name: string): ParentRule {
  const rule = PARENT_RULES.find((each) => each.name === name);
  if (rule === undefined) throw new Error(`Cannot join application spans: no rule ${name}`);
  return rule;
}
