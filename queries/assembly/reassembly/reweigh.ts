// SPDX-License-Identifier: Apache-2.0
// Weighs the stored candidates of a span again, without some of the rules that spoke for them.
//
// The same arithmetic as when they were stored: every candidate begins with an equal share, a rule
// multiplies the share of the one it points at by its trust and that of the others by the rest.
// What rules had learned, and what followed from other links, stays as it was then.

import { type Candidate, CERTAIN_FROM, type Evidence } from "../../../model/link.ts";
import { LINK_RULES } from "../../../model/links/link_rules.ts";
import { PARENT_RULES } from "../../../model/parent_rules.ts";
import { objectionShare, parseVotes, type Votes } from "../../../model/links/votes.ts";

/** Share of calls that a program makes on nobody's behalf, relative to one open request. */
const backgroundShare = 0.02;
const confidenceMax = 0.999;
/** Two candidates closer than this in score are a tie, and a tie is uncertain. */
const tieMargin = 1e-6;

/** By rank; the same candidates if none of the rules spoke for any. */
export function reweigh(
  candidates: readonly Candidate[],
  without: ReadonlySet<string>,
): readonly Candidate[] {
  const parsed = candidates.map((candidate) => ({ candidate, votes: parseVotes(candidate.votes) }));
  const isTouched = parsed.some(({ votes }) => votes.rules.some(({ rule }) => without.has(rule)));
  if (!isTouched) return candidates;
  const between = parsed.filter(({ votes }) => isBetween(votes));
  const kept = between.filter(({ votes }) => !votes.rules.some(({ rule }) => without.has(rule)));
  const inside = parsed.filter(({ votes }) => !isBetween(votes));
  const weighed = weigh(inside.map(({ candidate, votes }) => ({
    candidate,
    votes: { ...votes, rules: votes.rules.filter(({ rule }) => !without.has(rule)) },
  })));
  return [...kept.map(({ candidate }) => candidate), ...weighed]
    .map((candidate, rank) => ({ ...candidate, rank }));
}

/** Links between programs stand on one rule, and fall with it. */
function isBetween({ rules }: Votes): boolean {
  return rules.some(({ rule }) => BETWEEN.has(rule));
}

const BETWEEN: ReadonlySet<string> = new Set(PARENT_RULES.map(({ name }) => name));

interface Voted {
  readonly candidate: Candidate;
  readonly votes: Votes;
}

function weigh(voted: readonly Voted[]): Candidate[] {
  const among = Math.max(1, ...voted.map(({ candidate }) => candidate.among));
  const weighed = voted.map(({ candidate, votes }) => ({
    candidate,
    votes,
    share: objectionShare ** votes.against.length / among,
  }));
  let unnamed = 1 / among;
  let background = backgroundShare;
  for (const target of weighed) {
    for (const { trust } of target.votes.rules) {
      const other = (1 - trust) / among;
      for (const each of weighed) each.share *= each === target ? trust : other;
      unnamed *= other;
      background *= other;
    }
  }
  const rest = background + Math.max(0, among - weighed.length) * unnamed;
  const total = weighed.reduce((sum, { share }) => sum + share, rest);
  weighed.sort((a, b) => b.share - a.share || a.candidate.rank - b.candidate.rank);
  const [first, second] = weighed;
  const isTie = first !== undefined && second !== undefined &&
    (first.share - second.share) / total < tieMargin;
  return weighed.map(({ candidate, votes, share }, rank) => {
    const score = Math.min(total === 0 ? 0 : share / total, confidenceMax);
    return {
      ...candidate,
      rank,
      evidence: evidenceOf(votes),
      score: isTie ? Math.min(score, CERTAIN_FROM - 0.01) : score,
      votes: votesText(votes),
    };
  });
}

/** That of the rule that is trusted most. */
function evidenceOf({ rules }: Votes): Evidence {
  const [best] = [...rules].sort((a, b) => b.trust - a.trust);
  return best === undefined ? "nesting" : LINK_RULES[best.rule]?.evidence ?? "nesting";
}

function votesText({ rules, against }: Votes): string {
  return [
    ...rules.map(({ rule, trust }) => `${rule}=${trust}`),
    ...against.map((objection) => `!${objection}`),
  ].join(" ");
}
