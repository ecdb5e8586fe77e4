// SPDX-License-Identifier: Apache-2.0
// What an assembly may rest on: which rules, and how sure a link has to be to be drawn.

import { LINK_RULES } from "../../model/links/link_rules.ts";
import { PARENT_RULES } from "../../model/parent_rules.ts";

export interface AssemblyRules {
  /** Links less sure than this are not drawn: their spans become roots. */
  readonly threshold: number;
  /** Names of rules that are not asked. */
  readonly without: ReadonlySet<string>;
}

/** Below this a possible parent is not even drawn as uncertain: it would merge strangers. */
export const POSSIBLE_FROM = 0.25;

export const ALL_RULES: AssemblyRules = { threshold: POSSIBLE_FROM, without: new Set() };

/** Rules that can be left out: those within a program, and those between programs. */
export const RULE_NAMES: readonly string[] = [
  ...Object.keys(LINK_RULES),
  // What the rules within programs have found is followed, whatever it rests on.
  ...PARENT_RULES.map(({ name }) => name).filter((name) => name !== "linked"),
];
