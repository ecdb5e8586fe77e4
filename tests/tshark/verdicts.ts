// SPDX-License-Identifier: Apache-2.0
// Where we differ from tshark and why. Each argument can be checked with the capture.

export interface Verdict {
  readonly who: "ours right" | "theirs right" | "matter of taste";
  readonly why: string;
}

/** A difference as the table is asked about it. */
export interface Question {
  readonly protocol: string;
  readonly name: string;
  readonly theirs: string;
  readonly ours: string;
}

interface Argument extends Verdict {
  readonly protocol: string;
  holds(question: Question): boolean;
}

export function verdictOn(question: Question): Verdict | null {
  const found = ARGUMENTS.find((each) =>
    each.protocol === question.protocol && each.holds(question)
  );
  return found === undefined ? null : { who: found.who, why: found.why };
}

const ARGUMENTS: readonly Argument[] = [];
