// SPDX-License-Identifier: Apache-2.0
// What speaks for and against a possible parent, as one short text that is stored with it:
// "thread=0.998 before_answer=0.95 !time". Enough to weigh it again without some of the rules.

/** Says that a rule points at the candidate and how far it was trusted, 0 to 1. */
export interface Vote {
  readonly rule: string;
  readonly trust: number;
}

export interface Votes {
  readonly rules: readonly Vote[];
  readonly against: readonly Objection[];
}

/** What makes a parent as good as impossible. */
export const OBJECTIONS = {
  time: "it did not enclose the child in time",
  ids: "both carry a trace id, and these differ",
  kind: "such a request makes no such call, or it had made as many as any",
} as const;

export type Objection = keyof typeof OBJECTIONS;

/** What is left of a candidate's share for each objection. */
export const objectionShare = 0.01;

/** Thousandths, as they are written; nothing is trusted without any doubt. */
const thousandths: readonly string[] = Array.from(
  { length: 1_001 },
  (_, n) => `=${String(n / 1_000)}`,
);
const trustMax = 0.99999;

/** The votes with one more. */
export function withVote(votes: string, rule: string, trust: number): string {
  const vote = rule + (thousandths[Math.round(trust * 1_000)] ?? "=0");
  return votes === "" ? vote : `${votes} ${vote}`;
}

export function withObjection(votes: string, objection: Objection): string {
  return votes === "" ? `!${objection}` : `${votes} !${objection}`;
}

/** Words that are not votes are passed over: a later version may write more. */
export function parseVotes(votes: string): Votes {
  const rules: Vote[] = [];
  const against: Objection[] = [];
  for (const word of votes.split(" ")) {
    if (word.startsWith("!")) {
      const objection = word.slice(1);
      if (isObjection(objection)) against.push(objection);
      continue;
    }
    const at = word.lastIndexOf("=");
    const trust = Number(word.slice(at + 1));
    if (at <= 0 || !(trust >= 0 && trust <= 1)) continue;
    rules.push({ rule: word.slice(0, at), trust: Math.min(trust, trustMax) });
  }
  return { rules, against };
}

function isObjection(word: string): word is Objection {
  return Object.hasOwn(OBJECTIONS, word);
}
