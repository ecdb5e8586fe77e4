// SPDX-License-Identifier: Apache-2.0
// How far a rule is trusted about one call: by what it has shown on calls as contested as that.

import type { Call, ProgramState } from "../program.ts";
import { type Reliability, trust, trustIn } from "./reliability.ts";
import { RULES } from "../rules.ts";

export function trusted(index: number, { contest }: Call, program: ProgramState): number {
  const rule = RULES[index];
  const byContest = program.reliability[index];
  const [alone] = byContest ?? [];
  if (rule === undefined || byContest === undefined || alone === undefined) return 0;
  const isAlone = contest === 0 || rule.inCrowd === "always";
  return isAlone ? trust(alone, rule.prior) : Math.min(
    trustIn(contest, byContest, rule.inCrowd === "as_alone", rule.isOrder),
    rule.prior.trustMax,
  );
}

/** Where it is kept how a rule does on such calls. */
export function reliabilityOf(
  index: number,
  { contest }: Call,
  { reliability }: ProgramState,
): Reliability | undefined {
  return reliability[index]?.[RULES[index]?.inCrowd === "always" ? 0 : contest];
}
