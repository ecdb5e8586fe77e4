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
  const fine = fineKeyOf(ingress);
  if (fine !== null) learn(fine, sent, atOnce);
  learn(keyOf(ingress), sent, atOnce);
}

function learn(key: number, sent: readonly number[], atOnce: AtOnce): void {
  let seen = atOnce.get(key);
  if (seen === undefined) {
    if (atOnce.size >= readsMax) return;
    seen = { total: 0, times: new Map() };
    atOnce.set(key, seen);
  }
  count(seen, sent);
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
  const seen = seenOf(ingress, knownFrom, atOnce);
  return seen !== null && (seen.times.get(kind)?.[before] ?? 0) >= seen.total * sureShare;
}

const knownFrom = 8;
const sureShare = 0.95;

/** Whether such a read has never led to this, of which so many were sent since. */
export function isUnheardOf(
  ingress: Ingress,
  kind: number,
  before: number,
  atOnce: AtOnce,
): boolean {
  const seen = seenOf(ingress, wellKnownFrom, atOnce);
  return seen !== null && (seen.times.get(kind)?.[before] ?? 0) === 0;
}

const wellKnownFrom = 16;

/** By the finest of what is known well enough. */
function seenOf(ingress: Ingress, from: number, atOnce: AtOnce): Seen | null {
  const fineKey = fineKeyOf(ingress);
  const fine = fineKey === null ? undefined : atOnce.get(fineKey);
  if (fine !== undefined && fine.total >= from) return fine;
  const seen = atOnce.get(keyOf(ingress));
  return seen !== undefined && seen.total >= from ? seen : null;
}

/** How often one kind is among those sent before. */
export function countOf(kind: number, sent: readonly number[], until = sent.length): number {
  let n = 0;
  for (let i = 0; i < until; i++) if (sent[i] === kind) n++;
  return n;
}

const keyOf = ({ isWork, kind }: Ingress): number => isWork ? kind : kind + kindsMax;

/** A response by its place in what is done for a kind of request, if that is known. */
function fineKeyOf(ingress: Ingress): number | null {
  if (ingress.isWork) return null;
  const parent = ingress.decision?.parent ?? ingress.guess ?? ingress.likely;
  if (parent === null) return null;
  return ingress.kind + kindsMax * (2 + parent.kind + (1 + ingress.step) * kindsMax);
}

const kindsMax = 65_536;
