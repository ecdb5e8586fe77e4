// SPDX-License-Identifier: Apache-2.0
// Follows what rules point at to a work: a request itself, or the parent of another call.

import type { Call, Ingress, ProgramState, Target, Work } from "./program.ts";
import { RULES } from "./rules.ts";
import { trusted } from "./trust/trusted.ts";

/** Undecided calls that are followed from one to the next, at most. */
const chainMax = 4;

/** Null if it leads to no work, or only back to the call that asks. */
export function resolve(
  ingress: Ingress,
  program: ProgramState,
  asking: Call,
  depth = 0,
): Target | null {
  if (ingress.isWork) return ingress.asTarget;
  const { decision } = ingress;
  if (decision !== null) return decision.asTarget;
  if (depth >= chainMax) return null;
  let work: Work | null = null;
  let certainty = 0;
  let byOrder = false;
  for (let i = 0; i < RULES.length; i++) {
    const rule = RULES[i];
    if (rule === undefined) continue;
    const next = rule.pointsAt(ingress, program);
    if (next === null || next === asking) continue;
    const right = trusted(i, ingress, program);
    if (right <= certainty) continue;
    const found = resolve(next, program, ingress, depth + 1);
    if (found === null || found.certainty * right <= certainty) continue;
    work = found.work;
    certainty = found.certainty * right;
    byOrder = rule.isOrder || found.byOrder;
  }
  return work === null ? null : { work, certainty, byOrder };
}
