// SPDX-License-Identifier: Apache-2.0
// Tells rules how they did, so that each is trusted as far as it deserves in this program.

import { encloses } from "./evidence/nesting.ts";
import type { Call, ProgramState, Work } from "./program.ts";
import { learn } from "./reliability.ts";
import { resolve } from "./resolve.ts";
import { IDENTITY, RULES } from "./rules.ts";
import type { Answers } from "./weigh.ts";

/**
 * Tells the rules how they did: by the truth where it is known (the bytes name the parent, one work
 * alone was open, or other rules are sure), else by whether the work they point at encloses the
 * call. That says much where few of the open works do, and nothing where all do.
 */
export function learnFrom(call: Call, answers: Answers, program: ProgramState): void {
  const named = answers[IDENTITY] ?? null;
  const truth = named ?? call.only;
  if (truth !== null && truth.isWork && !encloses(truth, call)) return;
  const exposed = truth === null ? exposedShare(call, program) : 1;
  const isConfirmed = truth === null ? confirmation(call, answers, program) : null;
  for (let i = 0; i < RULES.length; i++) {
    const rule = RULES[i];
    const reliability = program.reliability[i];
    if (rule === undefined || reliability === undefined || i === IDENTITY) continue;
    const ingress = answers[i] ?? null;
    if (ingress === null) {
      if (truth !== null && rule.speaksAlways) learn(reliability, false);
      continue;
    }
    const work = resolve(ingress, program, call)?.work ?? null;
    if (work === null) continue;
    const known = truth ?? (rule.teaches ? null : taught(call));
    // That a rule of order is right about one work alone does not prove it.
    if (known !== null && work === known && call.only !== null && rule.isOrder) continue;
    if (known !== null) learn(reliability, work === known);
    else if (rule.isOrder && isConfirmed !== null) learn(reliability, isConfirmed);
    else if (exposed > 0) {
      if (encloses(work, call)) learn(reliability, true, exposed);
      else learn(reliability, false, Math.min(2, 1 / exposed));
    }
  }
}

/**
 * Two rules of order, one that looks at how the call was sent and one at what its response led to,
 * know nothing of each other. Where many works are open, they agree by chance only rarely.
 */
function confirmation(call: Call, answers: Answers, program: ProgramState): boolean | null {
  if (call.openBefore < manyOpen) return null;
  let sending: Work | null = null;
  let answering: Work | null = null;
  for (let i = 0; i < RULES.length; i++) {
    const side = RULES[i]?.side;
    const ingress = answers[i] ?? null;
    if (ingress === null || side === undefined) continue;
    const work = resolve(ingress, program, call)?.work ?? null;
    if (side === "sending") sending ??= work;
    else answering ??= work;
  }
  return sending === null || answering === null ? null : sending === answering;
}

const manyOpen = 8;

const sureFrom = 0.99;

/** The parent, if the decision is sure of it by the word of a rule that may teach. */
function taught({ decision }: Call): Work | null {
  if (decision === null || decision.confidence < sureFrom) return null;
  return RULES[decision.rule]?.teaches === true ? decision.parent : null;
}

/** Share of the works open with the call that do not enclose it: so often chance is caught. */
function exposedShare(call: Call, program: ProgramState): number {
  const { firstOrder, works } = program;
  let looked = 0;
  let outside = 0;
  for (let order = call.orderBefore - 1; order >= firstOrder && looked < samplesMax; order--) {
    const work = works[order - firstOrder];
    if (work === undefined || work.endNs < call.sentNs) continue;
    looked++;
    if (!encloses(work, call)) outside++;
  }
  return looked < 2 ? 0 : outside / looked;
}

const samplesMax = 16;
