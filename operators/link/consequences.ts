// SPDX-License-Identifier: Apache-2.0
// What follows from what in one program: after reading this request, or that response, what does it
// send next, and how many turns later? Learned while one work alone is open, so that it is known
// whose consequence it is. Tells which of several reads a call can have come from.

import { LIMITS } from "../../model/limits.ts";
import type { Call, Ingress, Work } from "./program.ts";

/** Kinds of what is sent: an answer, nothing at all, or the kind of a call. */
export const ANSWER = -1;
const NOTHING = -2;

/** Kinds are small numbers; 0 stands for all that came after the limit. */
const OTHER_KIND = 0;

interface Outcome {
  total: number;
  readonly bySent: Map<number, number>;
}

export interface Consequences {
  readonly kinds: Map<string, number>;
  readonly outcomes: Map<number, Outcome>;
  /** How often something followed 0, 1, 2, or more turns later. */
  readonly lags: number[];
}

export function startConsequences(): Consequences {
  return { kinds: new Map(), outcomes: new Map(), lags: [0, 0, 0, 0] };
}

/** The number of a kind of request: protocol and endpoint. */
export function kindOf(protocol: string, endpoint: string, { kinds }: Consequences): number {
  const text = `${protocol} ${endpoint}`;
  const known = kinds.get(text);
  if (known !== undefined) return known;
  if (kinds.size >= LIMITS.linkKinds.value) return OTHER_KIND;
  kinds.set(text, kinds.size + 1);
  return kinds.size;
}

/** One work was open when this was read and when what follows was sent (or the next thing read). */
export function learnConsequence(
  ingress: Ingress,
  only: Work,
  sent: number | null,
  consequences: Consequences,
): void {
  const kind = sent ?? NOTHING;
  count(keyOf(ingress, null), kind, consequences);
  if (!ingress.isWork) count(keyOf(ingress, only), kind, consequences);
}

export function learnLag(turns: number, { lags }: Consequences): void {
  const lag = Math.min(lags.length - 1, Math.max(0, turns));
  lags[lag] = (lags[lag] ?? 0) + 1;
}

/** Turns after which things follow in this program, at most; 0 on loops that act at once. */
export function lagMax({ lags }: Consequences): number {
  const total = lags.reduce((sum, each) => sum + each, 0);
  if (total < provenFrom) return lags.length - 2;
  let lag = lags.length - 1;
  while (lag > 0 && (lags[lag] ?? 0) < total * rareShare) lag--;
  return lag;
}

/** How likely this kind is sent next after reading that; null while too little was seen. */
export function likelihood(
  ingress: Ingress,
  sent: number,
  consequences: Consequences,
): number | null {
  const outcome = outcomeOf(ingress, consequences);
  return outcome === null ? null : (outcome.bySent.get(sent) ?? 0) / outcome.total;
}

/** Whether that kind can follow, as far as is known. */
export function canLeadTo(ingress: Ingress, sent: number, consequences: Consequences): boolean {
  const outcome = outcomeOf(ingress, consequences);
  if (outcome === null) return true;
  if ((outcome.bySent.get(NOTHING) ?? 0) > outcome.total / 2) return false;
  return (outcome.bySent.get(sent) ?? 0) >= outcome.total * rareShare;
}

const provenFrom = 8;

/** What happens less often than this is taken for chance. */
const rareShare = 0.02;

function outcomeOf(ingress: Ingress, { outcomes }: Consequences): Outcome | null {
  const parent = ingress.isWork ? null : ingress.decision?.parent ?? null;
  if (parent !== null) {
    const exact = outcomes.get(keyOf(ingress, parent));
    if (exact !== undefined && exact.total >= provenFrom) return exact;
  }
  const general = outcomes.get(keyOf(ingress, null));
  return general !== undefined && general.total >= provenFrom ? general : null;
}

/** Requests by their kind, responses by the kind of the call and of its parent, where known. */
function keyOf(ingress: Ingress | Call, parent: Work | null): number {
  if (ingress.isWork) return ingress.kind;
  return ingress.kind + (1 + (parent === null ? 0 : 1 + parent.kind)) * 65_536;
}

function count(key: number, kind: number, { outcomes }: Consequences): void {
  let outcome = outcomes.get(key);
  if (outcome === undefined) {
    if (outcomes.size >= outcomesMax) return;
    outcome = { total: 0, bySent: new Map() };
    outcomes.set(key, outcome);
  }
  outcome.total++;
  outcome.bySent.set(kind, (outcome.bySent.get(kind) ?? 0) + 1);
  if (outcome.total < fadeFrom) return;
  outcome.total = 0;
  for (const [each, n] of outcome.bySent) {
    outcome.bySent.set(each, n / 2);
    outcome.total += n / 2;
  }
}

/** Pairs of kinds remembered per program. */
const outcomesMax = 16_384;

/** Observations after which older ones count half. */
const fadeFrom = 1_024;
