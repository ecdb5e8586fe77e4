// SPDX-License-Identifier: Apache-2.0
// Messages that a thread has read in one go and works on one after the other: which of its calls
// are for which of them. The calls are in order and so are the messages; what is open is where the
// work on one ends. All ways to divide them are followed as they go, the likeliest are kept, and
// when the thread reads more messages, each call is given to the message that most of them say.

import { type Candidate, CANDIDATES_MAX } from "../../../model/link.ts";
import { withVote } from "../../../model/links/votes.ts";
import type { Call, Decision, Work } from "../program.ts";
import { continued, DONE, type Habits, likelihood, untouched } from "./habits.ts";

/** One way to divide the calls so far. */
interface Way {
  /** Of the message that is worked on. */
  readonly position: number;
  readonly done: number;
  readonly weight: number;
  readonly last: Placed | null;
}

/** The calls of a way, the last one in front: ways have their beginnings in common. */
interface Placed {
  readonly position: number;
  readonly before: Placed | null;
}

export interface Batch {
  readonly works: Work[];
  readonly calls: Call[];
  ways: readonly Way[];
}

export function startBatch(works: readonly Work[]): Batch {
  const [first] = works;
  const done = untouched(first?.kind ?? 0);
  return { works: [...works], calls: [], ways: [{ position: 0, done, weight: 1, last: null }] };
}

/** The thread sends the next call. */
export function takeCall(call: Call, batch: Batch, habits: Habits): void {
  batch.calls.push(call);
  const next: Way[] = [];
  for (const way of batch.ways) {
    let { done, weight } = way;
    const end = Math.min(batch.works.length, way.position + passedOverMax);
    for (let position = way.position; position < end && weight > 0; position++) {
      if (position > way.position) done = untouched(batch.works[position]?.kind ?? 0);
      next.push({
        position,
        done: continued(done, call.kind),
        weight: weight * likelihood(done, call.kind, habits),
        last: { position, before: way.last },
      });
      weight *= likelihood(done, DONE, habits);
    }
  }
  batch.ways = likeliest(next);
}

/** Messages in a row for which nothing is called. */
const passedOverMax = 8;

/** Ways that are followed. */
const waysMax = 64;

/** With weights that add up to 1. */
function likeliest(ways: readonly Way[]): Way[] {
  const kept = ways.toSorted((a, b) => b.weight - a.weight).slice(0, waysMax);
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return kept.map((way) => ({ ...way, weight: 1 / kept.length }));
  return kept.map((way) => ({ ...way, weight: way.weight / total }));
}

/** All calls have been sent: whose they are, call by call. */
export function divided(batch: Batch, habits: Habits): readonly Decision[] {
  const { works, calls } = batch;
  const ended = likeliest(batch.ways.map((way) => {
    let weight = way.weight * likelihood(way.done, DONE, habits);
    for (const { kind } of works.slice(way.position + 1)) {
      weight *= likelihood(untouched(kind), DONE, habits);
    }
    return { ...way, weight };
  }));
  const shares: Map<number, number>[] = calls.map(() => new Map());
  for (const { last, weight } of ended) {
    let index = calls.length - 1;
    for (let placed = last; placed !== null; placed = placed.before) {
      const share = shares[index--];
      share?.set(placed.position, (share.get(placed.position) ?? 0) + weight);
    }
  }
  return calls.map((call, index) => decisionOf(call, shares[index] ?? new Map(), batch));
}

/** However clear it is: the thread may once work in another order. */
const confidenceMax = 0.995;

function decisionOf(
  call: Call,
  shares: ReadonlyMap<number, number>,
  { works }: Batch,
): Decision {
  const ranked = [...shares].sort(([, a], [, b]) => b - a).slice(0, CANDIDATES_MAX);
  const candidates: Candidate[] = [];
  let parent: Work | null = null;
  for (const [position, share] of ranked) {
    const work = works[position];
    if (work === undefined) continue;
    parent ??= work;
    const score = Math.min(share, confidenceMax);
    candidates.push({
      ...{ span_id: call.exchange.spanId, parent_id: work.exchange.spanId, evidence: "thread" },
      ...{ score, rank: candidates.length, votes: withVote("", "one_by_one", score) },
      among: works.length,
    });
  }
  const confidence = candidates[0]?.score ?? 0;
  const asTarget = parent === null ? null : { work: parent, certainty: confidence, byOrder: false };
  return { parent, confidence, candidates, rule: -1, byOrder: false, fromId: null, asTarget };
}
