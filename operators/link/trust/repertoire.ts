// SPDX-License-Identifier: Apache-2.0
// What requests of each kind call at all, and how often at most: enough to say that a call can
// hardly belong to a request, however many are open.

import { encloses } from "../evidence/nesting.ts";
import type { Call, ProgramState, Work } from "../program.ts";

/** By kind of the request. */
export type Repertoire = Map<number, Calls>;

interface Calls {
  /** Requests seen. */
  total: number;
  /** By kind of the call, the most that one request has made. */
  readonly most: Map<number, number>;
}

/** Kinds of calls remembered for one kind of request. */
const kindsMax = 256;

/** Requests of one kind to be seen before it counts what they do not call. */
const knownFrom = 8;

export function learnRepertoire(work: Work, repertoire: Repertoire): void {
  let calls = repertoire.get(work.kind);
  if (calls === undefined) {
    calls = { total: 0, most: new Map() };
    repertoire.set(work.kind, calls);
  }
  calls.total++;
  for (const { kind } of work.story) {
    if (calls.most.size >= kindsMax && !calls.most.has(kind)) continue;
    const count = countOf(kind, work);
    if (count > (calls.most.get(kind) ?? 0)) calls.most.set(kind, count);
  }
}

/** False if such requests never make such a call, or this one has made as many as any for sure. */
export function mayCall(work: Work, call: Call, repertoire: Repertoire): boolean {
  const calls = repertoire.get(work.kind);
  if (calls === undefined || calls.total < knownFrom) return true;
  let made = 0;
  for (const each of work.story) {
    const isSure = (each.decision?.confidence ?? 0) >= sureFrom;
    if (isSure && each.kind === call.kind && each !== call) made++;
  }
  return made < (calls.most.get(call.kind) ?? 0);
}

const sureFrom = 0.95;

/** Whether such a request may have made these calls beside those that are surely its own. */
export function mayMake(
  calls: readonly Call[],
  { kind, story }: Work,
  repertoire: Repertoire,
): boolean {
  const known = repertoire.get(kind);
  if (known === undefined || known.total < knownFrom) return true;
  const first = calls[0]?.kind;
  if (first === undefined) return true;
  const isOther = (call: Call) =>
    call.kind === first && !calls.includes(call) && (call.decision?.confidence ?? 0) >= sureFrom;
  const count = story.filter(isOther).length + calls.filter(({ kind }) => kind === first).length;
  return count <= (known.most.get(first) ?? 0);
}

function countOf(kind: number, { story }: Work): number {
  let count = 0;
  for (const each of story) if (each.kind === kind) count++;
  return count;
}

/** Whether neither time nor what such requests call speaks against it. */
export function isPossible(work: Work, call: Call, { repertoire }: ProgramState): boolean {
  return encloses(work, call) && mayCall(work, call, repertoire);
}

/** Share of the other works open with the call that cannot be its parent: so often chance errs. */
export function exposedShare(call: Call, besides: Work, program: ProgramState): number {
  const { firstOrder, works } = program;
  let looked = 0;
  let impossible = 0;
  for (let order = call.orderBefore - 1; order >= firstOrder && looked < samplesMax; order--) {
    const work = works[order - firstOrder];
    if (work === undefined || work.endNs < call.sentNs || work === besides) continue;
    looked++;
    if (!isPossible(work, call, program)) impossible++;
  }
  return looked === 0 ? 0 : impossible / looked;
}

const samplesMax = 16;
