// SPDX-License-Identifier: Apache-2.0
// Works that a delivered message begins. Nobody answers a message, so their end must be told by
// something else: the consumer reads the next one, acknowledges this one, or does nothing more.
//
// A consumer that works on one message after the other has read the next ones only when it was
// done; one that starts several shows so by calls still under way when more messages come.

import { LIMITS } from "../../../model/limits.ts";
import type { Call, Thread, Work } from "../program.ts";

interface Delivery {
  readonly work: Work;
  readonly receipt: string;
  isSettled: boolean;
}

/** What a thread that reads messages was seen to do. */
interface Consumer {
  /** Reads of messages, and those of them while a call for an earlier one was under way. */
  reads: number;
  overlaps: number;
  /** Calls it sent itself. */
  calls: number;
}

export interface Deliveries {
  /** Not ended, in order. */
  open: Delivery[];
  readonly consumers: Map<Thread, Consumer>;
  /** By kind of message: works ended, and the most calls that one has led to. */
  readonly usual: Map<number, { ended: number; callsMax: number }>;
  /** The longest pauses of late within works. */
  pauseNs: number;
  pauses: number;
}

export const startDeliveries = (): Deliveries => ({
  open: [],
  consumers: new Map(),
  usual: new Map(),
  pauseNs: 0,
  pauses: 0,
});

/**
 * A message was delivered; returns the works that are over thereby. Called before the new work is
 * noted down.
 */
export function beforeDelivery(thread: Thread, readNs: number, deliveries: Deliveries): Work[] {
  const own = deliveries.open.filter(({ work }) => work.thread === thread);
  const last = own.at(-1);
  const consumer = consumerOf(thread, deliveries);
  if (last === undefined || last.work.readNs === readNs) return [];
  consumer.reads++;
  if (own.some(({ work }) => isBusy(work))) {
    consumer.overlaps++;
    return [];
  }
  return isSequential(consumer) ? own.map(({ work }) => work) : [];
}

export function addDelivery(work: Work, receipt: string, deliveries: Deliveries): Work | null {
  deliveries.open.push({ work, receipt, isSettled: false });
  if (deliveries.open.length <= LIMITS.linkDeliveries.value) return null;
  return deliveries.open[0]?.work ?? null;
}

/** A call was sent: a thread that reads messages makes calls of its own. */
export function noteCall({ thread }: Call, { consumers }: Deliveries): void {
  const consumer = consumers.get(thread);
  if (consumer !== undefined) consumer.calls++;
}

/** A message, or all up to it, are done with; returns the first of those. */
export function settle(
  conn: number,
  { receipt, upTo }: { readonly receipt: string; readonly upTo: boolean },
  { open }: Deliveries,
): Work | null {
  const meant = open.findIndex((each) => each.receipt === receipt && connOf(each.work) === conn);
  const delivery = open[meant];
  if (delivery === undefined) return null;
  delivery.isSettled = true;
  if (upTo) {
    for (const each of open.slice(0, meant)) {
      if (connOf(each.work) === conn) each.isSettled = true;
    }
  }
  return delivery.work;
}

const connOf = ({ exchange }: Work): number => exchange.connection.conn;

/** Works of messages that nothing more is done for, as it seems. */
export function overBy(nowNs: number, deliveries: Deliveries): Work[] {
  const over: Work[] = [];
  for (const delivery of deliveries.open) {
    const { work } = delivery;
    const quietNs = nowNs - lastNs(work);
    if (quietNs >= patience(delivery, deliveries) && !isBusy(work)) over.push(work);
    else if (quietNs >= givenUpNs) over.push(work);
  }
  return over;
}

/** The work has ended: what it did tells how long to wait for others. */
export function removeDelivery(work: Work, deliveries: Deliveries): void {
  deliveries.open = deliveries.open.filter((each) => each.work !== work);
  const { kind, story } = work;
  let known = deliveries.usual.get(kind);
  if (known === undefined) {
    if (deliveries.usual.size >= LIMITS.linkKinds.value) return;
    known = { ended: 0, callsMax: 0 };
    deliveries.usual.set(kind, known);
  }
  known.ended++;
  known.callsMax = Math.max(known.callsMax, story.length);
  let beforeNs = work.readNs;
  for (const call of story) {
    deliveries.pauseNs = Math.max(deliveries.pauseNs * pauseKept, call.sentNs - beforeNs);
    deliveries.pauses++;
    if (call.doneNs !== Infinity) beforeNs = Math.max(beforeNs, call.doneNs);
  }
}

/** What a longer pause counts after each that was shorter. */
const pauseKept = 0.995;

/** True while a call for it is under way. */
export const isBusy = ({ story }: Work): boolean => story.some(({ doneNs }) => doneNs === Infinity);

/** When something was read for it last. */
export function lastNs({ readNs, story }: Work): number {
  let lastNs = readNs;
  for (const { sentNs, doneNs } of story) {
    lastNs = Math.max(lastNs, doneNs === Infinity ? sentNs : doneNs);
  }
  return lastNs;
}

/** How long nothing happens before a work is taken to be over. */
function patience({ work, isSettled }: Delivery, { usual, pauseNs, pauses }: Deliveries): number {
  if (isSettled) return settledNs;
  const known = usual.get(work.kind);
  const isComplete = known !== undefined && known.ended >= provenFrom &&
    work.story.length >= known.callsMax;
  if (isComplete) return settledNs;
  return pauses < provenFrom ? idleNs : Math.min(idleNs, Math.max(settledNs, 4 * pauseNs));
}

const settledNs = 5_000_000;
const idleNs = 250_000_000;
const givenUpNs = 30_000_000_000;
const provenFrom = 16;

function consumerOf(thread: Thread, { consumers }: Deliveries): Consumer {
  let consumer = consumers.get(thread);
  if (consumer === undefined) {
    if (consumers.size >= LIMITS.linkThreads.value) consumers.clear();
    consumer = { reads: 0, overlaps: 0, calls: 0 };
    consumers.set(thread, consumer);
  }
  return consumer;
}

/** It makes its calls itself, and hardly ever reads more before they are done. */
function isSequential({ reads, overlaps, calls }: Consumer): boolean {
  return calls > 0 && overlaps <= reads * overlapsMax;
}

const overlapsMax = 0.02;
