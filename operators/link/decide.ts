// SPDX-License-Identifier: Apache-2.0
// Weighs what the rules say about one call against each other and against chance.
//
// Each candidate starts with the same share. A rule that points at a candidate and is right with
// probability r multiplies that share by r and every other one by (1 - r) / n. So rules add up by
// log-likelihood, a rule of little reliability changes little, and where none speaks the confidence
// is one in n: uncertain, as it should be.

import { type Candidate, CANDIDATES_MAX, CERTAIN_FROM, type Evidence } from "../../model/link.ts";
import { contradictsIdentity } from "./evidence/identity.ts";
import { encloses, enclosing } from "./evidence/nesting.ts";
import type { Call, Decision, Ingress, ProgramState, Work } from "./program.ts";
import { learn, trust } from "./reliability.ts";
import { IDENTITY, RULES } from "./rules.ts";

/** Share of calls that a program makes on nobody's behalf, relative to one open work. */
const backgroundShare = 0.02;

/** What is left of a candidate's share if time or ids speak against it. */
const impossibleShare = 0.01;

const confidenceMax = 0.999;

/** Two candidates closer than this in score are a tie, and a tie is uncertain. */
const tieMargin = 1e-6;

interface Weighed {
  readonly work: Work;
  share: number;
  evidence: Evidence;
  rule: number;
  /** Reliability of the best rule that points at it. */
  trust: number;
}

export function askRules(call: Call, program: ProgramState): void {
  for (let i = 0; i < RULES.length; i++) {
    call.points[i] = RULES[i]?.pointsAt(call, program) ?? null;
  }
}

interface Resolved {
  readonly work: Work;
  /** Probability that what the rule points at leads to this work. */
  readonly certainty: number;
}

const chainMax = 4;

/** The work behind what a rule points at: itself, or the parent of the call it points at. */
function resolve(
  ingress: Ingress,
  program: ProgramState,
  asking: Call,
  depth: number,
): Resolved | null {
  if (ingress.isWork) return { work: ingress, certainty: 1 };
  const { decision } = ingress;
  if (decision !== null) {
    if (decision.parent === null) return null;
    return { work: decision.parent, certainty: decision.confidence };
  }
  if (depth >= chainMax) return null;
  let best: Resolved | null = null;
  for (let i = 0; i < RULES.length; i++) {
    const rule = RULES[i];
    const next = rule?.pointsAt(ingress, program) ?? null;
    const reliability = program.reliability[i];
    if (rule === undefined || reliability === undefined || next === null) continue;
    if (next === asking) continue;
    const right = trust(reliability, rule.prior);
    if (right <= (best?.certainty ?? 0)) continue;
    const found = resolve(next, program, ingress, depth + 1);
    if (found === null || found.certainty * right <= (best?.certainty ?? 0)) continue;
    best = { work: found.work, certainty: found.certainty * right };
  }
  return best;
}

/** `quick`: with the candidates that rules name only; cheap, and enough where they are decisive. */
export function weigh(call: Call, program: ProgramState, quick: boolean): Decision {
  const found = quick ? null : enclosing(call, program, CANDIDATES_MAX);
  const count = Math.max(1, found?.count ?? call.openBefore);
  const weighed: Weighed[] = [];
  let background = backgroundShare;
  let unnamed = 1 / count;
  for (let i = 0; i < RULES.length; i++) {
    const rule = RULES[i];
    const ingress = call.points[i] ?? null;
    const reliability = program.reliability[i];
    if (rule === undefined || reliability === undefined || ingress === null) continue;
    const trusted = trust(reliability, rule.prior);
    const found = trusted === 0 ? null : resolve(ingress, program, call, 0);
    if (found === null) continue;
    const right = Math.max(trusted * found.certainty, 1 / (count + 1));
    const other = (1 - right) / count;
    const target = named(weighed, found.work, unnamed);
    for (const each of weighed) each.share *= each === target ? right : other;
    if (right > target.trust) {
      target.trust = right;
      target.evidence = rule.evidence;
      target.rule = i;
    }
    background *= other;
    unnamed *= other;
  }
  for (const work of found?.works ?? (call.only === null ? [] : [call.only])) {
    named(weighed, work, unnamed);
  }
  for (const each of weighed) {
    if (!encloses(each.work, call)) each.share *= impossibleShare;
    if (contradictsIdentity(call, each.work)) each.share *= impossibleShare;
  }
  const rest = Math.max(0, count - weighed.length) * unnamed;
  return toDecision(call, weighed, background + rest);
}

function named(weighed: Weighed[], work: Work, share: number): Weighed {
  for (const each of weighed) if (each.work === work) return each;
  const added: Weighed = { work, share, evidence: "nesting", rule: -1, trust: 0 };
  weighed.push(added);
  return added;
}

function toDecision(call: Call, weighed: Weighed[], restShare: number): Decision {
  let total = restShare;
  for (const each of weighed) total += each.share;
  weighed.sort((a, b) => b.share - a.share || b.work.order - a.work.order);
  const [first, second] = weighed;
  if (first === undefined || total === 0) return undecided;
  const isTie = second !== undefined && (first.share - second.share) / total < tieMargin;
  const candidates: Candidate[] = [];
  for (let rank = 0; rank < weighed.length && rank < CANDIDATES_MAX; rank++) {
    const each = weighed[rank];
    if (each === undefined) break;
    const score = Math.min(each.share / total, confidenceMax);
    candidates.push({
      span_id: call.exchange.spanId,
      parent_id: each.work.exchange.spanId,
      evidence: each.evidence,
      score: isTie ? Math.min(score, CERTAIN_FROM - 0.01) : score,
      rank,
    });
  }
  return {
    parent: first.work,
    confidence: candidates[0]?.score ?? 0,
    candidates,
    rule: first.rule,
  };
}

const undecided: Decision = { parent: null, confidence: 0, candidates: [], rule: -1 };

/**
 * Tells the rules how they did: by the truth where it is known (the bytes name the parent, one work
 * alone was open, or other rules are sure), else by whether the work they point at encloses the
 * call. That says much where few of the open works do, and nothing where all do.
 */
export function learnFrom(call: Call, program: ProgramState): void {
  const named = call.points[IDENTITY] ?? null;
  const truth = named ?? call.only;
  if (truth !== null && truth.isWork && !encloses(truth, call)) return;
  const exposed = truth === null ? exposedShare(call, program) : 1;
  for (let i = 0; i < RULES.length; i++) {
    const rule = RULES[i];
    const reliability = program.reliability[i];
    if (rule === undefined || reliability === undefined || i === IDENTITY) continue;
    const ingress = call.points[i] ?? null;
    if (ingress === null) {
      if (truth !== null && rule.speaksAlways) learn(reliability, false);
      continue;
    }
    const work = resolve(ingress, program, call, 0)?.work ?? null;
    if (work === null) continue;
    const known = truth ?? (rule.teaches ? null : taught(call));
    // That a rule of order is right about one work alone does not prove it.
    if (known !== null && work === known && call.only !== null && rule.isOrder) continue;
    if (known !== null) learn(reliability, work === known);
    else if (exposed > 0) {
      if (encloses(work, call)) learn(reliability, true, exposed);
      else learn(reliability, false, Math.min(4, 1 / exposed));
    }
  }
}

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
