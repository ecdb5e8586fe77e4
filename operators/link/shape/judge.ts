// SPDX-License-Identifier: Apache-2.0
// The decision on a call, by its rules and by the places that its story leaves for it.

import { type Candidate, CANDIDATES_MAX } from "../../../model/link.ts";
import { objectionShare, withVote } from "../../../model/links/votes.ts";
import type { Call, Decision, ProgramState, Work } from "../program.ts";
import { isPossible } from "../trust/repertoire.ts";
import type { Doubt } from "./rivals.ts";

const confidenceMax = 0.999;

/** `oddity`: share of requests of late whose stories are odd, which is due to wrong placing. */
export function judge(
  call: Call,
  weighed: Decision,
  { shares }: Doubt,
  oddity: number,
  program: ProgramState,
): Decision {
  const ranked: [Work, number][] = [];
  for (const [work, share] of shares) {
    if (work !== null) {
      ranked.push([work, isPossible(work, call, program) ? share : share * objectionShare]);
    }
  }
  ranked.sort(([a, p], [b, q]) => q - p || b.order - a.order);
  const judged = ranked.slice(0, CANDIDATES_MAX).map(([work, share]) => {
    const { evidence, score, votes } = verdictOn(work, share, weighed);
    return { work, evidence, votes, score: Math.min(score, 1 - oddityWeight * oddity) };
  });
  const [first] = judged;
  if (first === undefined) return weighed;
  // Where rules and stories differ, neither is sure.
  for (const each of judged) {
    if (each !== first) each.score = Math.min(each.score, 1 - first.score);
  }
  judged.sort((a, b) => b.score - a.score);
  const parent = judged[0]?.work ?? first.work;
  const among = weighed.candidates[0]?.among ?? ranked.length;
  const candidates = judged.map(({ work, evidence, votes, score }, rank): Candidate => ({
    span_id: call.exchange.spanId,
    parent_id: work.exchange.spanId,
    evidence,
    score: Math.max(0, score),
    rank,
    votes: withVote(votes, "shape", Math.max(0, score)),
    among,
  }));
  const confidence = candidates[0]?.score ?? 0;
  const isByRule = weighed.parent === parent;
  return {
    parent,
    confidence,
    candidates,
    rule: isByRule ? weighed.rule : -1,
    byOrder: isByRule && weighed.byOrder,
    fromId: isByRule ? weighed.fromId : null,
    asTarget: { work: parent, certainty: confidence, byOrder: isByRule && weighed.byOrder },
  };
}

function verdictOn(
  work: Work,
  share: number,
  { parent, confidence, candidates }: Decision,
): Pick<Candidate, "evidence" | "score" | "votes"> {
  const id = work.exchange.spanId;
  const known = candidates.find(({ parent_id }) => parent_id === id);
  const isByRule = known !== undefined && known.evidence !== "nesting" && parent === work &&
    confidence >= ruledFrom;
  const isSeen = isByRule && known.evidence !== "handoff";
  const believed = isSeen ? Math.max(share, known.score) : belief(share);
  return {
    evidence: isByRule ? known.evidence : "shape",
    score: Math.min(believed, confidenceMax),
    votes: known?.votes ?? "",
  };
}

/** From this confidence of the rules on, the link is said to be theirs. */
const ruledFrom = 0.5;

/**
 * What remains of the probability that a story gives where no rule that is proven by itself says
 * the same: costs come from counts that are not independent. Fitted on recorded programs.
 */
function belief(share: number): number {
  const odds = share / Math.max(1e-9, 1 - share);
  const believed = 0.28 * odds ** 0.66;
  return believed / (1 + believed);
}

/** A wrong place makes a story odd only where the requests are of different kinds. */
const oddityWeight = 2;
