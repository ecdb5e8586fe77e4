// SPDX-License-Identifier: Apache-2.0
// The name of the rule that decided for a link, also where it was found inside a program.

import type { Candidate } from "../../../model/link.ts";
import { parseVotes } from "../../../model/links/votes.ts";
import type { ParentLink } from "../set_parents.ts";

/** What no rule pointed at, and was the only or likeliest request that was open. */
export const NO_RULE = "nesting";

export function decidingRule(
  { rule, parent }: ParentLink,
  candidates: readonly Candidate[],
): string {
  if (rule !== "linked") return rule;
  const candidate = candidates.find(({ parent_id }) => parent_id === parent.span_id);
  return candidate === undefined ? NO_RULE : strongestRule(candidate);
}

/** The rule that was trusted most of those that speak for it. */
export function strongestRule({ votes }: Candidate): string {
  const [best] = [...parseVotes(votes).rules].sort((a, b) => b.trust - a.trust);
  return best?.rule ?? NO_RULE;
}
