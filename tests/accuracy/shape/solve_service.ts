// SPDX-License-Identifier: Apache-2.0
// Who called whom inside one service, from starts and ends alone (evidence 7 and 8): a call lies
// inside its request, each callee is called after a gap that is typical for it, and calls follow
// each other in an order that is typical for the service. All calls of one callee are placed at
// once, at the least cost; the gaps and the order are learned from the placement before.

import { assign, type Option } from "./assignment.ts";
import { type GapHistogram, gapHistogram } from "./gap_histogram.ts";

export interface TimedSpan {
  /** Caller of a request, callee of a call. */
  readonly ep: string;
  readonly startUs: number;
  readonly endUs: number;
}

/** Index of the request of each call, -1 where none encloses it. */
export function solveService(
  requests: readonly TimedSpan[],
  calls: readonly TimedSpan[],
): Int32Array {
  const callees = calleesOf(requests, calls);
  learnFromChance(callees, requests, calls);
  let placed = new Int32Array(calls.length).fill(-1);
  for (let round = 0; round < roundsMax; round++) {
    const order = orderOf(callees, placed, calls);
    const next = placed.slice();
    for (const callee of callees) placeAll(callee, requests, calls, next, order);
    relearn(callees, requests, calls, next, orderOf(callees, next, calls));
    const isSame = next.every((request, call) => request === placed[call]);
    placed = next;
    if (isSame) break;
  }
  return inQueueOrder(callees, requests, placed);
}

const roundsMax = 12;

interface Callee {
  readonly name: string;
  /** Calls to it, by start. */
  readonly calls: readonly number[];
  /** Requests that enclose each of them. */
  readonly candidates: readonly (readonly number[])[];
  /** Calls to it that one request makes, at most. */
  readonly perRequest: number;
  /** From the latest predecessor's end (or the request's start) to the call's start. */
  head: GapHistogram;
  /** From the call's end to the next successor's start (or the request's end). */
  tail: GapHistogram;
}

function calleesOf(requests: readonly TimedSpan[], calls: readonly TimedSpan[]): Callee[] {
  const byName = new Map<string, number[]>();
  for (const [call, { ep }] of calls.entries()) {
    const known = byName.get(ep);
    if (known === undefined) byName.set(ep, [call]);
    else known.push(call);
  }
  const find = enclosingFinder(requests);
  return [...byName].map(([name, ofCallee]) => {
    ofCallee.sort((a, b) => (calls[a]?.startUs ?? 0) - (calls[b]?.startUs ?? 0));
    return {
      name,
      calls: ofCallee,
      candidates: ofCallee.map((call) => find(calls[call])),
      perRequest: Math.max(1, Math.round(ofCallee.length / Math.max(1, requests.length))),
      head: gapHistogram(),
      tail: gapHistogram(),
    };
  });
}

/** Looks up which requests enclose a call, over requests sorted by start. */
function enclosingFinder(
  requests: readonly TimedSpan[],
): (call: TimedSpan | undefined) => number[] {
  const byStart = requests.map((_, i) => i);
  byStart.sort((a, b) => (requests[a]?.startUs ?? 0) - (requests[b]?.startUs ?? 0));
  const longestUs = requests.reduce((max, { startUs, endUs }) => Math.max(max, endUs - startUs), 0);
  return (call) => {
    if (call === undefined) return [];
    const found: number[] = [];
    for (let i = lastStarted(byStart, requests, call.startUs); i >= 0; i--) {
      const index = byStart[i] ?? 0;
      const request = requests[index];
      if (request === undefined || request.startUs < call.endUs - longestUs) break;
      if (request.endUs >= call.endUs) found.push(index);
      if (found.length >= candidatesMax) break;
    }
    return found;
  };
}

const candidatesMax = 256;

function lastStarted(
  byStart: readonly number[],
  requests: readonly TimedSpan[],
  atUs: number,
): number {
  let low = 0;
  let high = byStart.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((requests[byStart[middle] ?? 0]?.startUs ?? 0) <= atUs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Before anything is placed: every candidate counts the same. */
function learnFromChance(
  callees: readonly Callee[],
  requests: readonly TimedSpan[],
  calls: readonly TimedSpan[],
): void {
  for (const callee of callees) {
    for (const [i, call] of callee.calls.entries()) {
      const candidates = callee.candidates[i] ?? [];
      const span = calls[call];
      if (span === undefined) continue;
      for (const candidate of candidates) {
        const request = requests[candidate];
        if (request === undefined) continue;
        callee.head.add(span.startUs - request.startUs, 1 / candidates.length);
        callee.tail.add(request.endUs - span.endUs, 1 / candidates.length);
      }
    }
  }
}

/** For each callee, the callees that come before it in nearly every request. */
type Order = ReadonlyMap<Callee, { before: readonly Callee[]; after: readonly Callee[] }>;

const orderShare = 0.97;

function orderOf(
  callees: readonly Callee[],
  placed: Int32Array,
  calls: readonly TimedSpan[],
): Order {
  const spans = new Map(callees.map((callee) => [callee, extents(callee, placed, calls)]));
  const isBefore = (a: Callee, b: Callee): boolean => {
    let both = 0;
    let inOrder = 0;
    const ofB = spans.get(b);
    for (const [request, first] of spans.get(a) ?? []) {
      const second = ofB?.get(request);
      if (second === undefined) continue;
      both++;
      if (first.endUs <= second.startUs) inOrder++;
    }
    return both >= 8 && inOrder > both * orderShare;
  };
  return new Map(callees.map((callee) => [callee, {
    before: callees.filter((other) => other !== callee && isBefore(other, callee)),
    after: callees.filter((other) => other !== callee && isBefore(callee, other)),
  }]));
}

interface Extent {
  startUs: number;
  endUs: number;
}

/** From the first start to the last end of a callee's calls in each request. */
function extents(
  callee: Callee,
  placed: Int32Array,
  calls: readonly TimedSpan[],
): Map<number, Extent> {
  const found = new Map<number, Extent>();
  for (const call of callee.calls) {
    const request = placed[call] ?? -1;
    const span = calls[call];
    if (request < 0 || span === undefined) continue;
    const known = found.get(request);
    if (known === undefined) found.set(request, { startUs: span.startUs, endUs: span.endUs });
    else {
      known.startUs = Math.min(known.startUs, span.startUs);
      known.endUs = Math.max(known.endUs, span.endUs);
    }
  }
  return found;
}

/** When a call to this callee can begin in each request, and when it must have ended. */
function roomFor(
  callee: Callee,
  requests: readonly TimedSpan[],
  calls: readonly TimedSpan[],
  placed: Int32Array,
  order: Order,
): (request: number) => Extent {
  const { before = [], after = [] } = order.get(callee) ?? {};
  const earlier = before.map((other) => extents(other, placed, calls));
  const later = after.map((other) => extents(other, placed, calls));
  return (request) => {
    const { startUs = 0, endUs = 0 } = requests[request] ?? {};
    const room = { startUs, endUs };
    for (const each of earlier) {
      room.startUs = Math.max(room.startUs, each.get(request)?.endUs ?? startUs);
    }
    for (const each of later) {
      room.endUs = Math.min(room.endUs, each.get(request)?.startUs ?? endUs);
    }
    return room;
  };
}

/** What it costs when a gap is negative: the order does not hold for this pair. */
const outOfOrderCost = 12;
const skipCost = 60;

function placeAll(
  callee: Callee,
  requests: readonly TimedSpan[],
  calls: readonly TimedSpan[],
  placed: Int32Array,
  order: Order,
): void {
  const room = roomFor(callee, requests, calls, placed, order);
  const { perRequest } = callee;
  const rows = callee.calls.map((call, i) => {
    const options: Option[] = [];
    const span = calls[call];
    if (span === undefined) return options;
    for (const request of callee.candidates[i] ?? []) {
      const { startUs, endUs } = room(request);
      const head = span.startUs - startUs;
      const tail = endUs - span.endUs;
      const cost = (head < 0 ? outOfOrderCost : callee.head.cost(head)) +
        (tail < 0 ? outOfOrderCost : callee.tail.cost(tail));
      for (let slot = 0; slot < perRequest; slot++) {
        options.push({ column: request * perRequest + slot, cost });
      }
    }
    return options;
  });
  const columns = assign(rows, requests.length * perRequest, skipCost);
  for (const [i, call] of callee.calls.entries()) {
    const column = columns[i] ?? -1;
    placed[call] = column < 0 ? -1 : Math.floor(column / perRequest);
  }
}

function relearn(
  callees: readonly Callee[],
  requests: readonly TimedSpan[],
  calls: readonly TimedSpan[],
  placed: Int32Array,
  order: Order,
): void {
  for (const callee of callees) {
    const room = roomFor(callee, requests, calls, placed, order);
    callee.head = gapHistogram();
    callee.tail = gapHistogram();
    for (const call of callee.calls) {
      const request = placed[call] ?? -1;
      const span = calls[call];
      if (request < 0 || span === undefined) continue;
      const { startUs, endUs } = room(request);
      if (span.startUs >= startUs) callee.head.add(span.startUs - startUs, 1);
      if (endUs >= span.endUs) callee.tail.add(endUs - span.endUs, 1);
    }
  }
}

const queueShare = 0.99;

/**
 * Where nearly every i-th call went to the i-th request, the service keeps to a queue, and the rest
 * follows the queue as well.
 */
function inQueueOrder(
  callees: readonly Callee[],
  requests: readonly TimedSpan[],
  placed: Int32Array,
): Int32Array {
  const byStart = requests.map((_, i) => i);
  byStart.sort((a, b) => (requests[a]?.startUs ?? 0) - (requests[b]?.startUs ?? 0));
  for (const { calls, candidates } of callees) {
    if (calls.length !== requests.length) continue;
    const inQueue = calls.filter((call, i) => placed[call] === byStart[i]).length;
    const isPossible = candidates.every((each, i) => each.includes(byStart[i] ?? -1));
    if (!isPossible || inQueue < calls.length * queueShare) continue;
    for (const [i, call] of calls.entries()) placed[call] = byStart[i] ?? -1;
  }
  return placed;
}
