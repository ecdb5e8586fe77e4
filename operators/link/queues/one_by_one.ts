// SPDX-License-Identifier: Apache-2.0
// Threads that work on messages one after the other: calls that they make while they hold several
// messages wait until it is told which call was for which.

import type { Call, Decision, Thread, Work } from "../program.ts";
import { asksForMessages } from "./asks_for_messages.ts";
import { type Batch, divided, startBatch, takeCall } from "./batch.ts";
import { consumerOf, type Deliveries, isSequential } from "./deliveries.ts";
import { learnHabit } from "./habits.ts";

/** A call was sent; true if it is one of a batch, whose end decides on it. */
export function joinBatch(call: Call, deliveries: Deliveries): boolean {
  if (!deliveries.consumers.has(call.thread) || asksForMessages(call)) return false;
  const consumer = consumerOf(call.thread, deliveries);
  consumer.calls++;
  const batch = deliveries.batches.get(call.thread) ?? newBatch(call.thread, deliveries);
  if (batch === null) return false;
  if (isUnderWay(batch)) {
    consumer.overlaps++;
    dissolve(call.thread, batch, deliveries);
    return false;
  }
  deliveries.batched.add(call);
  takeCall(call, batch, deliveries.habits);
  return true;
}

function newBatch(thread: Thread, deliveries: Deliveries): Batch | null {
  if (!isSequential(consumerOf(thread, deliveries))) return null;
  const works: Work[] = [];
  for (const { work } of deliveries.open) if (work.thread === thread) works.push(work);
  if (works.length < 2) return null;
  const batch = startBatch(works);
  deliveries.batches.set(thread, batch);
  return batch;
}

/** The thread waits for the response to a call. */
const isUnderWay = ({ calls }: Batch): boolean => calls.at(-1)?.doneNs === Infinity;

function dissolve(thread: Thread, { calls }: Batch, deliveries: Deliveries): void {
  for (const call of calls) deliveries.batched.delete(call);
  deliveries.batches.delete(thread);
}

/** The thread is done with what it held: its calls, and whose they are. */
export function finishBatch(
  thread: Thread,
  deliveries: Deliveries,
): readonly (readonly [Call, Decision])[] {
  const batch = deliveries.batches.get(thread);
  if (batch === undefined) return [];
  dissolve(thread, batch, deliveries);
  const decisions = divided(batch, deliveries.habits);
  learnFrom(batch, decisions, deliveries);
  return batch.calls.map((call, index) => [call, decisions[index] ?? undecided] as const);
}

/** Of messages all of whose calls are clear, and those of the next one. */
function learnFrom(
  { works, calls }: Batch,
  decisions: readonly Decision[],
  deliveries: Deliveries,
) {
  const sure = decisions.every(({ confidence }) => confidence >= sureFrom);
  if (!sure) return;
  for (const work of works) {
    const own = calls.filter((_call, index) => decisions[index]?.parent === work);
    learnHabit(work.kind, own.map(({ kind }) => kind), deliveries.habits);
  }
}

const sureFrom = 0.9;

const undecided: Decision = {
  ...{ parent: null, confidence: 0, candidates: [], rule: -1, byOrder: false, fromId: null },
  asTarget: null,
};
