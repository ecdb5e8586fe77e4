// SPDX-License-Identifier: Apache-2.0
// Whether a program sends calls of one kind in the order in which what they follow from was read.
// Counted only where two waited at the same time: of one alone every order is right.

import type { Call } from "../program.ts";

/** Calls of one kind in the order of sending. */
export interface Line {
  calls: Call[];
  /** Number of calls[0]. */
  first: number;
  inOrder: number;
  swapped: number;
}

export interface Lines {
  readonly byKind: Map<number, Line>;
}

export const startLines = (): Lines => ({ byKind: new Map() });

/** Calls that need a connection first are a line of their own. */
export function lineOf(call: Pick<Call, "kind" | "isFresh">, { byKind }: Lines): Line {
  const key = call.kind * 2 + (call.isFresh ? 1 : 0);
  let line = byKind.get(key);
  if (line === undefined) {
    line = { calls: [], first: 0, inOrder: 0, swapped: 0 };
    byKind.set(key, line);
  }
  return line;
}

export function joinLine(call: Call, lines: Lines): void {
  const line = lineOf(call, lines);
  call.place = line.first + line.calls.length;
  line.calls.push(call);
  if (line.calls.length <= 2 * keptMax) return;
  line.calls = line.calls.slice(-keptMax);
  line.first = call.place + 1 - keptMax;
}

const keptMax = 256;

/** Calls that ended long ago and are decided have no neighbours any more that are not. */
export function forgetOldCalls({ byKind }: Lines, beforeNs: number): void {
  for (const [key, line] of byKind) {
    const { calls } = line;
    let gone = 0;
    while (gone < calls.length) {
      const call = calls[gone];
      if (call === undefined || call.decision === null || call.doneNs > beforeNs) break;
      gone++;
    }
    if (gone === calls.length && line.inOrder + line.swapped < worthKeeping) byKind.delete(key);
    else if (gone > 0) {
      line.calls = calls.slice(gone);
      line.first += gone;
    }
  }
}

/** Of a line without calls: what is known of its order is kept if so much was seen. */
const worthKeeping = 4;

/** The call so many places after (or before) it. */
export function neighbour(call: Call, offset: number, line: Line): Call | undefined {
  return line.calls[call.place - line.first + offset];
}

/** `causeNs` of both; null where the two did not wait at the same time. */
export function isInOrder(
  early: Call,
  earlyCauseNs: number,
  lateCauseNs: number,
): boolean | null {
  if (lateCauseNs >= early.sentNs || earlyCauseNs === lateCauseNs) return null;
  return earlyCauseNs < lateCauseNs;
}

export function learnOrder(line: Line, inOrder: boolean, weight: number): void {
  if (inOrder) line.inOrder += weight;
  else line.swapped += weight;
  if (line.inOrder + line.swapped < fadeFrom) return;
  line.inOrder /= 2;
  line.swapped /= 2;
}

const fadeFrom = 400;

export function orderCost(line: Line, inOrder: boolean): number {
  const { swapped } = line;
  const total = line.inOrder + swapped + 4;
  const share = inOrder ? 1 - (swapped + 2) / total : (swapped + 2) / total;
  return -Math.log(Math.max(share, shareMin));
}

const shareMin = 0.003;
