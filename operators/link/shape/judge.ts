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
  const [first] = ranked;
  if (first === undefined) return weighed;
  const [parent] = first;
  const among = weighed.candidates[0]?.among ?? ranked.length;
  const candidates: Candidate[] = [];
  for (const [work, share] of ranked.slice(0, CANDIDATES_MAX)) {
    const id = work.exchange.spanId;
    const known = weighed.candidates.find(({ parent_id }) => parent_id === id);
    const isByRule = known !== undefined && known.evidence !== "nesting" &&
      weighed.parent === work && weighed.confidence >= ruledFrom;
    const isSeen = isByRule && known.evidence !== "handoff";
    const believed = isSeen ? Math.max(share, known.score) : belief(share);
    const score = Math.min(believed, confidenceMax, Math.max(0, 1 - oddityWeight * oddity));
    candidates.push({
      span_id: call.exchange.spanId,
      parent_id: id,
      evidence: isByRule ? known.evidence : "shape",
      score,
      rank: candidates.length,
      votes: withVote(known?.votes ?? "", "shape", score),
      among,
    });
  }
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
