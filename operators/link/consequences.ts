// SPDX-License-Identifier: Apache-2.0
// What follows from what in one program: after reading this request, or that response, what does it
// send, how often, and how many turns later? Learned from works that were alone while they ran, so
// that it is known whose consequence it is. Tells which of several reads a call can come from.

import { LIMITS } from "../../model/limits.ts";
import type { Call, Ingress, Work } from "./program.ts";

/** The kind of an answer, among the kinds of what is sent. Calls have kinds from 0. */
export const ANSWER = -1;

/** All kinds that came after the limit. */
const OTHER_KIND = 0;

interface Outcome {
  /** Reads of this kind. */
  total: number;
  /** Of these, how many led to nothing. */
  nothing: number;
  /** How many were sent after them in all. */
  sentTotal: number;
  /** How many of each kind were sent after them. */
  readonly sent: Map<number, number>;
  /** By kind: after how many of them one, two … of that kind were sent. */
  readonly times: Map<number, number[]>;
}

/** Of one protocol. */
interface Kinds {
  readonly byEndpoint: Map<string, number>;
  /** Messages seen. */
  seen: number;
  /** The kind of all endpoints that are new, once most are seen once only; 0 while they are not. */
  any: number;
}

export interface Consequences {
  /** By protocol, then by endpoint: no text is put together on the hot path. */
  readonly kinds: Map<string, Kinds>;
  kindsCount: number;
  readonly outcomes: Map<number, Outcome>;
  /** How often something followed 0, 1, 2, or more turns later. */
  readonly lags: number[];
}

export function startConsequences(): Consequences {
  return { kinds: new Map(), kindsCount: 0, outcomes: new Map(), lags: [0, 0, 0, 0] };
}

/** The number of a kind of request: protocol and endpoint. */
export function kindOf(
  protocol: string,
  endpoint: string,
  consequences: Consequences,
): number {
  let kinds = consequences.kinds.get(protocol);
  if (kinds === undefined) {
    kinds = { byEndpoint: new Map(), seen: 0, any: 0 };
    consequences.kinds.set(protocol, kinds);
  }
  const { byEndpoint } = kinds;
  kinds.seen++;
  const known = byEndpoint.get(endpoint);
  if (known !== undefined) return known;
  const isScattered = byEndpoint.size >= scatteredFrom && kinds.seen < 2 * byEndpoint.size;
  if (isScattered && kinds.any === 0) kinds.any = newKind(consequences);
  if (kinds.any !== 0) return kinds.any;
  const kind = newKind(consequences);
  if (kind !== OTHER_KIND) byEndpoint.set(endpoint, kind);
  return kind;
}

/** Endpoints of which most were seen once: names that are looked up, texts of statements. */
const scatteredFrom = 12;

function newKind(consequences: Consequences): number {
  return consequences.kindsCount >= LIMITS.linkKinds.value ? OTHER_KIND : ++consequences.kindsCount;
}

/** A work that was alone has ended: all that was read for it, and what followed, is known. */
export function learnConsequences(work: Work, consequences: Consequences): void {
  for (const ingress of work.trail) {
    count(keyOf(ingress, null), ingress.sent, consequences);
    if (ingress.isWork) continue;
    count(keyOf(ingress, work), ingress.sent, consequences);
    count(keyAtStep(ingress, work), ingress.sent, consequences);
  }
}

export function learnLag(turns: number, { lags }: Consequences): void {
  const lag = Math.min(lags.length - 1, Math.max(0, turns));
  lags[lag] = (lags[lag] ?? 0) + 1;
}

/** Turns after which things follow in this program, at most; 0 on loops that act at once. */
export function lagMax({ lags }: Consequences): number {
  const total = lags.reduce((sum, each) => sum + each, 0);
  if (total < provenFrom) return lags.length - 2;
  let lag = 0;
  for (let covered = lags[0] ?? 0; covered < total * usualShare; covered += lags[lag] ?? 0) lag++;
  return lag;
}

/** The share of what follows that must come within the lag. */
const usualShare = 0.85;

/** Whether this kind may follow at once from what was read last. True while little is known. */
export function mayFollow(ingress: Ingress, kind: number, consequences: Consequences): boolean {
  const outcome = outcomeOf(ingress, consequences);
  if (outcome === null) return true;
  const already = countOf(ingress.sent, kind);
  const seen = outcome.times.get(kind)?.[already] ?? 0;
  if (seen === 0) return already === 0 && outcome.total < knownFrom;
  return seen / outcome.total >= (already === 0 ? strayShare : rareAgainShare);
}

/** Whether this kind follows at once more often than not, as far as is known. */
export function usuallyLeadsTo(
  ingress: Ingress,
  kind: number,
  consequences: Consequences,
): boolean {
  const outcome = outcomeOf(ingress, consequences);
  return outcome !== null && (outcome.sent.get(kind) ?? 0) >= outcome.total / 2;
}

/**
 * How likely what was read a while ago still has to lead to this kind. It led to nothing at once,
 * so either it never will, or it waits.
 */
export function owes(ingress: Ingress, kind: number, consequences: Consequences): number {
  const outcome = outcomeOf(ingress, consequences);
  const isUnused = ingress.sent.length === 0;
  if (outcome === null) return isUnused ? (ingress.isWork ? 0.9 : 0.5) : 0;
  const expected = (outcome.sent.get(kind) ?? 0) / outcome.total;
  if (!isUnused) {
    const left = Math.min(
      expected - countOf(ingress.sent, kind),
      outcome.sentTotal / outcome.total - ingress.sent.length,
    );
    return Math.min(1, Math.max(0, left));
  }
  return expected < rareShare ? 0 : Math.min(1, expected / (expected + nothingShare(outcome)));
}

/**
 * How many of this kind follow from it on average; null: that is not known. Of a response whose
 * parent is not sure: whatever its parent is.
 */
export function expectedOf(
  ingress: Ingress,
  kind: number,
  consequences: Consequences,
): number | null {
  const isSure = ingress.isWork || (ingress.decision?.confidence ?? 0) >= sureFrom;
  const outcome = isSure
    ? outcomeOf(ingress, consequences)
    : consequences.outcomes.get(keyOf(ingress, null)) ?? null;
  return outcome === null ? null : (outcome.sent.get(kind) ?? 0) / outcome.total;
}

const sureFrom = 0.95;

function nothingShare({ nothing, total }: Outcome): number {
  return nothing / total;
}

/** Whether what was read still has to lead to anything but an answer. */
export function owesAny(ingress: Ingress, consequences: Consequences): boolean {
  const outcome = outcomeOf(ingress, consequences);
  if (outcome === null) return ingress.sent.length === 0;
  if (ingress.sent.length === 0) return outcome.nothing < outcome.total / 2;
  if (outcome.sentTotal / outcome.total - ingress.sent.length < 0.5) return false;
  for (const [kind, n] of outcome.sent) {
    if (kind !== ANSWER && n / outcome.total - countOf(ingress.sent, kind) >= 0.5) return true;
  }
  return false;
}

/** From this share on a read is taken to wait for its consequence. */
export const likelyWaiting = 0.4;

const provenFrom = 8;

/** What happens less often than this is taken for chance. */
const rareShare = 0.02;

/** What follows at once less often than this may as well come from elsewhere: timers, work left. */
const strayShare = 0.05;

/** The same of another one of a kind, which may as well follow from something else. */
const rareAgainShare = 0.1;

/** So many reads of a kind show all that may follow. */
const knownFrom = 16;

function countOf(kinds: readonly number[], kind: number): number {
  let count = 0;
  for (const each of kinds) if (each === kind) count++;
  return count;
}

function outcomeOf(ingress: Ingress, { outcomes }: Consequences): Outcome | null {
  if (outcomes.size === 0) return null;
  const parent = ingress.isWork ? null : ingress.decision?.parent ?? ingress.guess;
  if (!ingress.isWork && parent !== null) {
    const exact = exactOutcome(ingress, parent, outcomes);
    if (exact !== null) return exact;
  }
  const known = outcomes.get(keyOf(ingress, null));
  const general = known !== undefined && known.total >= provenFrom ? known : null;
  if (ingress.isWork || parent !== null || ingress.likely === null) return general;
  // Where all that is read leads to something, what led to nothing yet waits, whosever it is.
  if (general !== null && nothingShare(general) < rareShare) return general;
  return exactOutcome(ingress, ingress.likely, outcomes) ?? general;
}

function exactOutcome(
  call: Call,
  parent: Work,
  outcomes: ReadonlyMap<number, Outcome>,
): Outcome | null {
  const atStep = outcomes.get(keyAtStep(call, parent));
  if (atStep !== undefined && atStep.total >= provenFrom) return atStep;
  const exact = outcomes.get(keyOf(call, parent));
  return exact !== undefined && exact.total >= provenFrom ? exact : null;
}

/** Requests by their kind, responses by the kind of the call and of its parent, where known. */
function keyOf(ingress: Ingress, parent: Work | null): number {
  if (ingress.isWork) return ingress.kind;
  return ingress.kind + (1 + (parent === null ? 0 : 1 + parent.kind)) * 65_536;
}

/** The same, for the first, second … of several alike. */
function keyAtStep(ingress: Call, parent: Work): number {
  return keyOf(ingress, parent) + (1 + ingress.step) * 2 ** 32;
}

function count(key: number, sent: readonly number[], { outcomes }: Consequences): void {
  let outcome = outcomes.get(key);
  if (outcome === undefined) {
    if (outcomes.size >= outcomesMax) return;
    outcome = { total: 0, nothing: 0, sentTotal: 0, sent: new Map(), times: new Map() };
    outcomes.set(key, outcome);
  }
  outcome.total++;
  if (sent.length === 0) outcome.nothing++;
  outcome.sentTotal += sent.length;
  for (const kind of sent) {
    outcome.sent.set(kind, (outcome.sent.get(kind) ?? 0) + 1);
  }
  for (const [at, kind] of sent.entries()) {
    let times = outcome.times.get(kind);
    if (times === undefined) outcome.times.set(kind, times = []);
    let before = 0;
    for (let i = 0; i < at; i++) if (sent[i] === kind) before++;
    if (before < timesMax) times[before] = (times[before] ?? 0) + 1;
  }
  if (outcome.total < fadeFrom) return;
  outcome.total /= 2;
  outcome.nothing /= 2;
  outcome.sentTotal /= 2;
  for (const [kind, n] of outcome.sent) outcome.sent.set(kind, n / 2);
  for (const times of outcome.times.values()) times.forEach((n, i) => times[i] = n / 2);
}

/** Of one kind after one read; more are not told apart. */
const timesMax = 32;

/** Pairs of kinds remembered per program. */
const outcomesMax = 16_384;

/** Observations after which older ones count half. */
const fadeFrom = 1_024;
