// SPDX-License-Identifier: Apache-2.0
// What a loop surely sends at once after a read of some kind, as it was seen between two reads of
// one turn, where nothing else can have been sent. After the last read of a turn the same comes
// first, before what timers send or what was put off to the end of the turn.

import type { Ingress } from "../program.ts";

interface Seen {
  total: number;
  /** By kind: after how many of them one, two … of that kind were sent. */
  readonly times: Map<number, number[]>;
}

/** By what was read. */
export type AtOnce = Map<number, Seen>;

/** All that was sent between that read and the next one. */
export function learnAtOnce(ingress: Ingress, sent: readonly number[], atOnce: AtOnce): void {
  for (const key of keysOf(ingress)) {
    let seen = atOnce.get(key);
    if (seen === undefined) {
      if (atOnce.size >= readsMax) return;
      seen = { total: 0, times: new Map() };
      atOnce.set(key, seen);
    }
    count(seen, sent);
  }
}

const readsMax = 4_096;

function count(seen: Seen, sent: readonly number[]): void {
  seen.total++;
  for (const [at, kind] of sent.entries()) {
    let times = seen.times.get(kind);
    if (times === undefined) seen.times.set(kind, times = []);
    const before = countOf(kind, sent, at);
    if (before < timesMax) times[before] = (times[before] ?? 0) + 1;
  }
  if (seen.total < fadeFrom) return;
  seen.total /= 2;
  for (const times of seen.times.values()) times.forEach((n, i) => times[i] = n / 2);
}

/** Of one kind after one read; more are not told apart. */
const timesMax = 16;
const fadeFrom = 256;

/** Whether such a read surely leads to this, of which so many were sent since. */
export function isExpected(
  ingress: Ingress,
  kind: number,
  before: number,
  atOnce: AtOnce,
): boolean {
  for (const key of keysOf(ingress)) {
    const seen = atOnce.get(key);
    if (seen === undefined || seen.total < knownFrom) continue;
    return (seen.times.get(kind)?.[before] ?? 0) >= seen.total * sureShare;
  }
  return false;
}

/** Whether such a read has never led to this, of which so many were sent since. */
export function isUnheardOf(
  ingress: Ingress,
  kind: number,
  before: number,
  atOnce: AtOnce,
): boolean {
  for (const key of keysOf(ingress)) {
    const seen = atOnce.get(key);
    if (seen === undefined || seen.total < wellKnownFrom) continue;
    return (seen.times.get(kind)?.[before] ?? 0) === 0;
  }
  return false;
}

const wellKnownFrom = 16;
const knownFrom = 8;
const sureShare = 0.95;

/** How often one kind is among those sent before. */
export function countOf(kind: number, sent: readonly number[], until = sent.length): number {
  let n = 0;
  for (let i = 0; i < until; i++) if (sent[i] === kind) n++;
  return n;
}

/** The finest first: a response by its place in what is done for a kind of request, if known. */
function keysOf(ingress: Ingress): readonly number[] {
  if (ingress.isWork) return [ingress.kind];
  const parent = ingress.decision?.parent ?? ingress.guess ?? ingress.likely;
  const any = ingress.kind + kindsMax;
  if (parent === null) return [any];
  const ofParent = any + (1 + parent.kind) * kindsMax;
  return [ofParent + (1 + ingress.step) * kindsMax * kindsMax, any];
}

const kindsMax = 65_536;
