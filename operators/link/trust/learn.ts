// SPDX-License-Identifier: Apache-2.0
// Tells rules how they did, so that each is trusted as far as it deserves in this program.

import { encloses, goesOn } from "../evidence/nesting.ts";
import type { Call, Ingress, ProgramState, Work } from "../program.ts";
import { learn, type Reliability } from "./reliability.ts";
import { exposedShare, isPossible } from "./repertoire.ts";
import { resolve } from "../resolve.ts";
import { IDENTITY, RULES, WAITED_FOR } from "../rules.ts";
import { contendersFrom } from "./crowd.ts";
import { reliabilityOf, trusted } from "./trusted.ts";
import type { Answers } from "../weigh.ts";

/**
 * By the truth where it is known without the rules: the bytes name the parent, one work alone was
 * open, a thread that held one was woken, or its story leaves no doubt. Else only that is learned
 * which time rules out.
 */
export function learnFrom(call: Call, answers: Answers, program: ProgramState): void {
  const named = answers[IDENTITY] ?? null;
  const waiting = trusted(WAITED_FOR, call, program) >= waitingFrom ? call.wakes : null;
  const truth = named ?? call.only ?? waiting ?? call.verdict;
  if (truth?.isWork && !encloses(truth, call) && !goesOn(truth, call)) return;
  if (truth === null && call.contest >= contestMin) compareSides(call, answers, program);
  for (let i = 0; i < RULES.length; i++) {
    const rule = RULES[i];
    const reliability = reliabilityOf(i, call, program);
    if (rule === undefined || reliability === undefined || rule.isTold) continue;
    if (i === WAITED_FOR && named === null && call.only === null) continue;
    const ingress = answers[i] ?? null;
    if (ingress === null) {
      const isSilent = rule.speaksAlways && (named !== null || call.only !== null);
      if (isSilent) learn(reliability, false);
      continue;
    }
    const work = ledTo(ingress, i, call, program);
    if (work === null) continue;
    if (truth !== null) learn(reliability, work === truth);
    else learnByChance(reliability, mayBe(work, i, call, program), work, call, program);
  }
}

/**
 * Where a rule leads to. What follows from how loops are built is not to blame for the parent that
 * another call was given.
 */
function ledTo(
  ingress: Ingress,
  index: number,
  call: Call,
  program: ProgramState,
): Work | null {
  const found = resolve(ingress, program, call);
  if (found === null) return null;
  return RULES[index]?.isBuiltIn && found.certainty < surelyFrom ? null : found.work;
}

const surelyFrom = 0.9;

/** From this trust on, whose thread was woken by a response is taken to be known. */
const waitingFrom = 0.95;

/**
 * Without the truth: a rule that errs points at a request that cannot be it as often as chance
 * does. So one such error stands for several, and none says as much as chance would have erred.
 */
function learnByChance(
  reliability: Reliability,
  isPossible: boolean,
  work: Work,
  call: Call,
  program: ProgramState,
): void {
  const exposed = exposedShare(call, work, program);
  if (exposed < exposedMin) return;
  if (isPossible) learn(reliability, true, exposed);
  else learn(reliability, false, Math.min(weightMax, 1 / exposed));
}

/** What such requests call was learned by other rules, and says nothing against a built-in one. */
function mayBe(work: Work, index: number, call: Call, program: ProgramState): boolean {
  if (!RULES[index]?.isBuiltIn) return isPossible(work, call, program);
  return encloses(work, call) || goesOn(work, call);
}

const exposedMin = 0.1;
const weightMax = 4;

/**
 * A rule that looks at how the call was sent and one that looks at what its response led to know
 * little of each other. Where several requests could have sent it, they agree by chance only
 * rarely; where they differ, the one that is trusted less has likely erred.
 */
function compareSides(call: Call, answers: Answers, program: ProgramState): void {
  const sending = speaker("sending", call, answers, program);
  const answering = speaker("answering", call, answers, program);
  if (sending === null || answering === null) return;
  const isSame = sending.work === answering.work;
  // Two lines that are both out of step by one agree as well.
  if (isSame && sending.isOrder && answering.isOrder) return;
  const [a, b] = [sending.trust, answering.trust];
  const isLine = sending.isOrder !== answering.isOrder;
  const bothRight = isSame ? a * b : 0;
  const onlyA = isSame ? 0 : a * (1 - b);
  const onlyB = isSame ? 0 : b * (1 - a);
  const byChance = 1 / contendersFrom(call.contest);
  const neither = (1 - a) * (1 - b) * (isSame ? byChance : 1 - byChance);
  const total = bothRight + onlyA + onlyB + neither;
  for (
    const [{ index }, right, against] of [
      [sending, bothRight + onlyA, b],
      [answering, bothRight + onlyB, a],
    ] as const
  ) {
    const reliability = reliabilityOf(index, call, program);
    if (reliability === undefined) continue;
    const isBuiltIn = RULES[index]?.isBuiltIn ?? false;
    const share = Math.min(isSame || isLine || isBuiltIn ? 1 : blamelessMax, right / total);
    // To differ from what is hardly ever right says nothing.
    const weight = isBuiltIn && !isSame ? against : 1;
    learn(reliability, true, share * weight);
    learn(reliability, false, (1 - share) * weight);
  }
}

interface Speaker {
  readonly index: number;
  readonly work: Work;
  readonly trust: number;
  readonly isOrder: boolean;
}

/** The first rule of a side that says anything. */
function speaker(
  side: "sending" | "answering",
  call: Call,
  answers: Answers,
  program: ProgramState,
): Speaker | null {
  for (let index = 0; index < RULES.length; index++) {
    const ingress = answers[index] ?? null;
    const rule = RULES[index];
    if (ingress === null || rule?.side !== side) continue;
    const work = ledTo(ingress, index, call, program);
    if (work === null) continue;
    const trust = trusted(index, call, program) || unheardTrust(index, call, program);
    const isMeant = mayBe(work, index, call, program);
    return { index, work, trust: isMeant ? trust : impossibleTrust, isOrder: rule.isOrder };
  }
  return null;
}

/** Of a rule that is not heard, because it has erred too often. */
function unheardTrust(index: number, call: Call, program: ProgramState): number {
  const { right = 0, wrong = 0 } = reliabilityOf(index, call, program) ?? {};
  return Math.min(unheardMax, (right + 1) / (right + wrong + 2));
}

const unheardMax = 0.4;

/** Of one that points at a request that cannot have sent it. */
const impossibleTrust = 0.02;

const contestMin = 3;

/**
 * Where two differ neither is free of blame, or one that is trusted would stay so whatever comes.
 * But a line that is off by one is off for many calls, which says nothing of what differs from it.
 * Nor does it say anything against what holds however many requests are open.
 */
const blamelessMax = 0.35;
