// SPDX-License-Identifier: Apache-2.0
// Why a span hangs where it hangs in an assembled trace, and what else it could have been.

import { type Candidate, CERTAIN_FROM, type Evidence } from "../../model/link.ts";
import { LINK_RULES } from "../../model/links/link_rules.ts";
import { PARENT_RULES } from "../../model/parent_rules.ts";
import type { Span } from "../../model/span.ts";
import { type Objection, parseVotes } from "../../model/links/votes.ts";
import { decidingRule, NO_RULE } from "../../queries/assembly/reassembly/deciding_rule.ts";
import type { TraceNode } from "../../queries/assembly/trace.ts";

export interface Explanation {
  readonly span: Span;
  /** Null for what hangs nowhere. */
  readonly parent: Span | null;
  /** Name of the deciding rule; "nesting" where none spoke, "" without a parent. */
  readonly rule: string;
  readonly evidence: Evidence | "";
  readonly confidence: number;
  /** False: it is shown at its likeliest parent, and not as fact. */
  readonly isCertain: boolean;
  /** Completes "because …"; without a parent a sentence of its own. */
  readonly because: string;
  /** Rules that say the same, the deciding one left out. */
  readonly agreeing: readonly Reason[];
  readonly against: readonly Objection[];
  /** Confidence beyond that of the next best parent; null where there was nothing to weigh. */
  readonly margin: number | null;
  /** Other possible parents, the likeliest first. */
  readonly others: readonly Alternative[];
  /** Requests that were open: it could have been any of them. */
  readonly among: number;
}

export interface Reason {
  readonly rule: string;
  readonly trust: number;
  readonly because: string;
}

export interface Alternative {
  readonly spanId: bigint;
  /** Null if it is not stored (any more). */
  readonly span: Span | null;
  readonly confidence: number;
  readonly reasons: readonly Reason[];
  readonly against: readonly Objection[];
}

/** `spanOf` knows the spans that are named as possible parents. */
export function explain(
  { span, link }: Pick<TraceNode, "span" | "link">,
  candidates: readonly Candidate[],
  spanOf: (id: bigint) => Span | null,
): Explanation {
  const others = candidates
    .filter(({ parent_id }) => parent_id !== link?.parent.span_id)
    .map((candidate) => alternativeOf(candidate, spanOf));
  const [runnerUp] = others;
  const among = Math.max(1, ...candidates.map((candidate) => candidate.among));
  const unlinked = { span, parent: null, rule: "", evidence: "", confidence: 0 } as const;
  if (link === null) {
    const because = whyRoot(span, others);
    return {
      ...unlinked,
      isCertain: others.length === 0,
      because,
      agreeing: [],
      against: [],
      margin: null,
      others,
      among,
    };
  }
  const rule = decidingRule(link, candidates);
  const votes = parseVotes(
    candidates.find(({ parent_id }) => parent_id === link.parent.span_id)?.votes ?? "",
  );
  return {
    span,
    parent: link.parent,
    rule,
    evidence: link.evidence,
    confidence: link.confidence,
    isCertain: link.confidence >= CERTAIN_FROM,
    because: wordsOf(rule, among),
    agreeing: votes.rules.filter((vote) => vote.rule !== rule).map(reasonOf),
    against: votes.against,
    margin: runnerUp === undefined || isByRank(link) ? null : link.confidence - runnerUp.confidence,
    others,
    among,
  };
}

/** A rule between programs does not weigh: it comes before what was found inside of one. */
function isByRank({ rule }: { readonly rule: string }): boolean {
  return rule !== "linked";
}

function alternativeOf(
  { parent_id, score, votes }: Candidate,
  spanOf: (id: bigint) => Span | null,
): Alternative {
  const { rules, against } = parseVotes(votes);
  return {
    spanId: parent_id,
    span: spanOf(parent_id),
    confidence: score,
    reasons: rules.map(reasonOf),
    against,
  };
}

const reasonOf = ({ rule, trust }: { readonly rule: string; readonly trust: number }): Reason => ({
  rule,
  trust,
  because: wordsOf(rule, 1),
});

/** A rule of a later version has no words here. */
export function wordsOf(rule: string, among: number): string {
  if (rule === NO_RULE) {
    return among <= 1
      ? "it was the only request that was open"
      : `no rule tells: it is one of ${among} requests that were open`;
  }
  return LINK_RULES[rule]?.because ??
    PARENT_RULES.find(({ name }) => name === rule)?.because ?? `the rule ${rule} says so`;
}

function whyRoot(span: Span, others: readonly Alternative[]): string {
  const [likeliest] = others;
  if (likeliest !== undefined) {
    return likeliest.span === null
      ? "the likeliest parent is not stored: its request has not ended yet, or it was deleted"
      : "the likeliest parent is too unlikely to be drawn";
  }
  const who = span.service || span.process || "the sender";
  if (span.observer === "app") return "the application names no parent that is here";
  if (span.observer === "nic") return `its sender ${span.peer} was not seen, only the network`;
  if (span.kind === "server" || span.kind === "consumer") {
    const from = span.peer === "" ? "" : ` at ${span.peer}`;
    return `its sender${from} was not seen: on another host, encrypted, or not traced`;
  }
  if (span.gaps.includes("older")) {
    return `${who} was traced from its middle, and was working on nothing that had been seen`;
  }
  return `${who} was working on no request that had been seen`;
}
