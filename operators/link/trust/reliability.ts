// SPDX-License-Identifier: Apache-2.0
// How often a rule is right in one program, learned from calls whose parent is known without it.

/** Counts fade, so that a program that changes its ways is learned anew. */
export interface Reliability {
  right: number;
  wrong: number;
}

/** What is assumed of a rule before anything was seen, and what it must show to be heard. */
export interface Prior {
  readonly right: number;
  readonly wrong: number;
  /** Observations needed before the rule may speak. 0: it speaks from the first call on. */
  readonly provenFrom: number;
  /** Trusted this far at most, however often it was right. */
  readonly trustMax: number;
}

/** Where a call is contested, a rule is trusted this far before it has shown anything. */
const trustContested = 0.8;
const trustContestedMax = 0.997;

/** Until it was tried so often on calls as contested as that. */
const triedFrom = 24;
const trustUntried = 0.93;

/** However right a rule was where less was contested; of order, and of anything else. */
const trustInheritedMax = 0.9;
const trustInheritedMaxUnordered = 0.97;

/** What a rule has shown where less was contested counts for so many observations. */
const inherited = 5;

/** Observations after which older ones count half. */
const memory = 192;

/** A rule that is right less often than this says nothing worth hearing. */
const worthFrom = 0.6;

export function learn(reliability: Reliability, isRight: boolean, weight = 1): void {
  if (isRight) reliability.right += weight;
  else reliability.wrong += weight;
  if (reliability.right + reliability.wrong > memory) {
    reliability.right /= 2;
    reliability.wrong /= 2;
  }
}

/** Probability that the rule is right when it speaks; 0 while it must be silent. */
export function trust(reliability: Reliability, prior: Prior): number {
  const seen = reliability.right + reliability.wrong;
  if (seen < prior.provenFrom) return 0;
  const share = (reliability.right + prior.right) / (seen + prior.right + prior.wrong);
  return share < worthFrom ? 0 : Math.min(share, prior.trustMax);
}

/**
 * The same where several works could have sent the call: the rule is heard from the start, and what
 * it was right about while one alone was open proves nothing, unless `asAlone`. `byContest`: see
 * crowd.ts.
 */
export function trustIn(
  contest: number,
  byContest: readonly Reliability[],
  asAlone: boolean,
  isOrder: boolean,
): number {
  const inheritedMax = isOrder ? trustInheritedMax : trustInheritedMaxUnordered;
  let share = trustContested;
  for (let each = asAlone ? 0 : 1; each <= contest; each++) {
    const { right, wrong } = byContest[each] ?? { right: 0, wrong: 0 };
    if (each > 0) share = Math.min(share, inheritedMax);
    share = (right + inherited * share) / (right + wrong + inherited);
  }
  const { right = 0, wrong = 0 } = byContest[contest] ?? {};
  const most = right + wrong < triedFrom ? trustUntried : trustContestedMax;
  return share < worthFrom ? 0 : Math.min(share, most);
}
