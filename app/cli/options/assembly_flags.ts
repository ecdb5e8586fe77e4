// SPDX-License-Identifier: Apache-2.0
// Options that assemble stored spans anew: with fewer rules, or drawing only what is surer.

import {
  ALL_RULES,
  type AssemblyRules,
  RULE_NAMES,
} from "../../../queries/assembly/assembly_rules.ts";
import { completeInList } from "./complete_in_list.ts";

export interface AssemblyFlags {
  readonly threshold?: number;
  readonly withoutRule?: readonly string[];
}

export const assemblyFlags = {
  threshold: {
    kind: "parsed",
    parse: parseShare,
    brief: "Draw only links that are at least so sure, as 0.95 (default: 0.25)",
    placeholder: "share",
    optional: true,
  },
  withoutRule: {
    kind: "parsed",
    parse: parseRule,
    proposeCompletions: (partial: string) => completeInList(partial, RULE_NAMES),
    brief: "Link again without these rules, as handoff,after_waiting; identity: without ids",
    placeholder: "name",
    variadic: ",",
    optional: true,
  },
} as const;

export function assemblyRulesOf({ threshold, withoutRule }: AssemblyFlags): AssemblyRules {
  return {
    threshold: threshold ?? ALL_RULES.threshold,
    without: new Set(withoutRule ?? []),
  };
}

function parseShare(text: string): number {
  const share = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (share >= 0 && share <= 1) return share;
  throw new Error("write a share from 0 to 1, as 0.95");
}

function parseRule(text: string): string {
  const name = text.toLowerCase().replaceAll("-", "_");
  if (RULE_NAMES.includes(name)) return name;
  throw new Error(`there is no such rule; known are ${RULE_NAMES.join(", ")}`);
}
