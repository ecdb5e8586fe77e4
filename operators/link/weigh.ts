// SPDX-License-Identifier: Apache-2.0
// Weighs what the rules say about one call against each other and against chance.
//
// Each candidate starts with the same share. A rule that points at a candidate and is right with
// probability r multiplies that share by r and every other one by (1 - r) / n. So rules add up by
// log-likelihood, a rule of little reliability changes little, and where none speaks the confidence
// is one in n: uncertain, as it should be.

import { type Candidate, CANDIDATES_MAX, CERTAIN_FROM, type Evidence } from "../../model/link.ts";
import {
  type Objection,
  objectionShare,
  withObjection,
  withVote,
} from "../../model/links/votes.ts";
import { contradictsIdentity } from "./evidence/identity.ts";
import { encloses, enclosing, goesOn } from "./evidence/nesting.ts";
import type { Call, Decision, Ingress, ProgramState, Work } from "./program.ts";
import { mayCall } from "./trust/repertoire.ts";
import { resolve } from "./resolve.ts";
import { RULES } from "./rules.ts";
import { trusted } from "./trust/trusted.ts";
import { surenessOfPresence } from "./trust/unowned.ts";

/** Share of calls that a program makes on nobody's behalf, relative to one open work. */
const backgroundShare = 0.02;

const confidenceMax = 0.999;

/** Rules err together more often than by chance: what misleads one misleads the other. */
const together = 2;

/** From this trust on a rule is believed against what such requests are known to call. */
const toldFrom = 0.9;

/** That all others are hardly possible does not make a parent of which no rule speaks a fact. */
const unnamedMax = 0.9;

/** Two candidates closer than this in score are a tie, and a tie is uncertain. */
const tieMargin = 1e-6;

interface Weighed {
  readonly work: Work;
  share: number;
  votes: string;
  evidence: Evidence;
  rule: number;
  byOrder: boolean;
  /** Some rule points at it by what happened, not by who was there. */
  isNear: boolean;
  fromId: bigint | null;
  /** Reliability of the best rule that points at it. */
  trust: number;
  /** Chance that all rules that point at it err at once; 1 where none does. */
  doubt: number;
}

/** What each rule points at, by rule index; valid until the next call of `askRules`. */
export type Answers = readonly (Ingress | null)[];

const answers: (Ingress | null)[] = RULES.map(() => null);

export function askRules(call: Call, program: ProgramState): Answers {
  for (let i = 0; i < RULES.length; i++) {
    answers[i] = RULES[i]?.pointsAt(call, program) ?? null;
  }
  return answers;
}

/** `quick`: with the candidates that rules name only; cheap, and enough where they are decisive. */
export function weigh(
  call: Call,
  answers: Answers,
  program: ProgramState,
  quick: boolean,
): Decision {
  const found = quick ? null : enclosing(call, program, CANDIDATES_MAX);
  const count = Math.max(1, found?.count ?? call.openBefore);
  const weighed: Weighed[] = [];
  let background = backgroundShare;
  let unnamed = 1 / count;
  for (let i = 0; i < RULES.length; i++) {
    const rule = RULES[i];
    const ingress = answers[i] ?? null;
    if (rule === undefined || ingress === null) continue;
    const ruleTrust = trusted(i, call, program);
    const found = ruleTrust === 0 ? null : resolve(ingress, program, call);
    if (found === null) continue;
    const right = Math.max(ruleTrust * found.certainty, 1 / (count + 1));
    const other = (1 - right) / count;
    const target = named(weighed, found.work, unnamed);
    target.votes = withVote(target.votes, rule.name, right);
    for (const each of weighed) each.share *= each === target ? right : other;
    target.doubt *= Math.min(1, target.doubt === 1 ? 1 - right : (1 - right) * together);
    target.isNear ||= rule.evidence === "turn" || rule.isTold === true;
    if (right > target.trust) {
      target.trust = right;
      target.evidence = rule.evidence;
      target.rule = i;
      target.byOrder = rule.isOrder || found.byOrder;
      target.fromId = ingress.exchange.spanId;
    }
    background *= other;
    unnamed *= other;
  }
  for (const work of found?.works ?? (call.only === null ? [] : [call.only])) {
    named(weighed, work, unnamed);
  }
  for (const each of weighed) {
    const rule = RULES[each.rule];
    const isBuiltIn = rule?.isBuiltIn && each.trust >= toldFrom;
    const mayOutlast = each.work === call.told || (isBuiltIn && goesOn(each.work, call));
    if (!mayOutlast && !encloses(each.work, call)) object(each, "time");
    if (contradictsIdentity(call, each.work)) object(each, "ids");
    const isTold = rule?.isTold || isBuiltIn;
    if (!isTold && !mayCall(each.work, call, program.repertoire)) object(each, "kind");
  }
  const rest = Math.max(0, count - weighed.length) * unnamed;
  return toDecision(call, weighed, background + rest, {
    among: count,
    most: surenessOfPresence(program),
  });
}

function object(to: Weighed, objection: Objection): void {
  to.isNear = false;
  to.share *= objectionShare;
  to.votes = withObjection(to.votes, objection);
}

function named(weighed: Weighed[], work: Work, share: number): Weighed {
  for (const each of weighed) if (each.work === work) return each;
  const added: Weighed = {
    work,
    share,
    votes: "",
    evidence: "nesting",
    rule: -1,
    byOrder: false,
    isNear: false,
    fromId: null,
    trust: 0,
    doubt: 1,
  };
  weighed.push(added);
  return added;
}

function toDecision(
  call: Call,
  weighed: Weighed[],
  restShare: number,
  { among, most }: { readonly among: number; readonly most: number },
): Decision {
  let total = restShare;
  for (const each of weighed) total += each.share;
  if (weighed.length > 1) weighed.sort((a, b) => b.share - a.share || b.work.order - a.work.order);
  const first = weighed[0];
  const second = weighed[1];
  if (first === undefined || total === 0) return undecided;
  const isTie = second !== undefined && (first.share - second.share) / total < tieMargin;
  const candidates: Candidate[] = [];
  for (let rank = 0; rank < weighed.length && rank < CANDIDATES_MAX; rank++) {
    const each = weighed[rank];
    if (each === undefined) break;
    const proven = call.contest === 0 || each.doubt === 1 ? confidenceMax : 1 - each.doubt;
    const score = Math.min(
      each.share / total,
      proven,
      each.isNear ? confidenceMax : most,
      each.rule < 0 && call.contest > 0 ? unnamedMax : confidenceMax,
      confidenceMax,
    );
    candidates.push({
      span_id: call.exchange.spanId,
      parent_id: each.work.exchange.spanId,
      evidence: each.evidence,
      score: isTie ? Math.min(score, CERTAIN_FROM - 0.01) : score,
      rank,
      votes: each.votes,
      among,
    });
  }
  const confidence = candidates[0]?.score ?? 0;
  return {
    parent: first.work,
    confidence,
    candidates,
    rule: first.rule,
    byOrder: first.byOrder,
    fromId: first.fromId,
    asTarget: { work: first.work, certainty: confidence, byOrder: first.byOrder },
  };
}

/** Nobody is known to be the parent. */
export const undecided: Decision = {
  parent: null,
  confidence: 0,
  candidates: [],
  rule: -1,
  byOrder: false,
  fromId: null,
  asTarget: null,
};
