// SPDX-License-Identifier: Apache-2.0
// Where we differ from an expectation and why. Each argument can be checked with the capture.

import type { FactName, Facts } from "./facts.ts";

export interface Verdict {
  readonly who: "ours right" | "theirs right" | "matter of taste";
  readonly why: string;
}

/** A difference as the table is asked about it. */
export interface Question {
  readonly file: string;
  readonly line: number;
  readonly expected: Facts;
  readonly ours: Facts | null;
  readonly facts: readonly FactName[];
}

interface Argument extends Verdict {
  readonly file: RegExp;
  holds(question: Question): boolean;
}

export function verdictOn(question: Question): Verdict | null {
  return ARGUMENTS.find((each) => each.file.test(question.file) && each.holds(question)) ?? null;
}

const ARGUMENTS: readonly Argument[] = [];
