// SPDX-License-Identifier: Apache-2.0
// Works that a delivered message begins. Nobody answers a message, so their end must be told by
// something else: the consumer reads the next one, acknowledges this one, or does nothing more.
//
// A consumer that works on one message after the other has read the next ones only when it was
// done; one that starts several shows so by calls still under way when more messages come.

import { LIMITS } from "../../../model/limits.ts";
import type { Call, ProgramState, Thread, Work } from "../program.ts";
import { learnConsequences } from "../consequences.ts";
import { beginOf } from "../origin.ts";
import { asksForMessages } from "./asks_for_messages.ts";
import type { Batch } from "./batch.ts";
import { type Courses, type Following, followingOf, learnCourse } from "./regularity.ts";
import {
  continued,
  DONE,
  type Habits,
  learnHabit,
  likelihood,
  startHabits,
  untouched,
} from "./habits.ts";

interface Delivery {
  readonly work: Work;
  readonly receipt: string;
  /** Calls that follow from it, as far as the reads between tell. */
  readonly following: Following[];
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
  /** Not ended, in order; and their works. */
  open: Delivery[];
  readonly works: Set<Work>;
  /** Spans of those of late that can be acknowledged, ended or not, by connection and receipt. */
  readonly receipts: Map<string, bigint>;
  readonly consumers: Map<Thread, Consumer>;
  /** Of threads that hold several messages and work on one after the other; and their calls. */
  readonly batches: Map<Thread, Batch>;
  readonly batched: Set<Call>;
  /** When threads read several messages last. */
  readonly lastShared: WeakMap<Thread, number>;
  readonly habits: Habits;
  readonly courses: Courses;
  /** The longest pauses of late within works. */
  pauseNs: number;
  /** Those that are over are looked for now and then. */
  nextLookNs: number;
}

export const startDeliveries = (): Deliveries => ({
  open: [],
  works: new Set(),
  receipts: new Map(),
  consumers: new Map(),
  batches: new Map(),
  batched: new Set(),
  lastShared: new WeakMap(),
  habits: startHabits(),
  courses: new Map(),
  pauseNs: 0,
  nextLookNs: 0,
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
  const isWaiting = (call: Call) => call.thread === thread && call.doneNs === Infinity;
  if (own.some((each) => callsOf(each).some(isWaiting)) || isBatchBusy(thread, deliveries)) {
    consumer.overlaps++;
    return [];
  }
  return isSequential(consumer) ? own.map(({ work }) => work) : [];
}

export function addDelivery(work: Work, receipt: string, deliveries: Deliveries): Work | null {
  deliveries.works.add(work);
  if (receipt !== "") keepReceipt(work, receipt, deliveries);
  deliveries.open.push({ work, receipt, following: [], isSettled: false });
  if (deliveries.open.length <= LIMITS.linkDeliveries.value) return null;
  return deliveries.open[0]?.work ?? null;
}

/** A call was sent; whose it is need not be decided to know that a work goes on. */
export function noteFollowing(call: Call, { open }: Deliveries): void {
  if (open.length === 0 || asksForMessages(call)) return;
  const begin = beginOf(call);
  if (begin === null) return;
  const delivery = open.find(({ work }) => work === begin);
  if (delivery === undefined || delivery.following.length >= callsMax) return;
  delivery.following.push(followingOf(call));
}

/** Of one message that are looked at. */
const callsMax = 64;

function isBatchBusy(thread: Thread, { batches }: Deliveries): boolean {
  return batches.get(thread)?.calls.at(-1)?.doneNs === Infinity;
}

function keepReceipt({ exchange }: Work, receipt: string, { receipts }: Deliveries): void {
  receipts.set(`${exchange.connection.conn} ${receipt}`, exchange.spanId);
  if (receipts.size <= LIMITS.linkDeliveries.value) return;
  const oldest = receipts.keys().next();
  if (!oldest.done) receipts.delete(oldest.value);
}

/** A message, or all up to it, are done with; returns the span of the one that is named. */
export function settle(
  conn: number,
  { receipt, upTo }: { readonly receipt: string; readonly upTo: boolean },
  { open, receipts }: Deliveries,
): bigint | null {
  const meant = open.findIndex((each) => each.receipt === receipt && connOf(each.work) === conn);
  const last = upTo ? meant + 1 : 0;
  for (const each of open.slice(0, last)) {
    if (connOf(each.work) === conn) each.isSettled = true;
  }
  const delivery = open[meant];
  if (delivery !== undefined) delivery.isSettled = true;
  return receipts.get(`${conn} ${receipt}`) ?? null;
}

const connOf = ({ exchange }: Work): number => exchange.connection.conn;

const none: readonly Work[] = [];

/** Works of messages that nothing more is done for, as it seems. */
export function overBy({ nowNs, deliveries, openings }: ProgramState): readonly Work[] {
  if (deliveries.open.length === 0 || nowNs < deliveries.nextLookNs) return none;
  const over: Work[] = [];
  deliveries.nextLookNs = nowNs + lookNs;
  const connecting = new Set<Work>();
  for (const { origin } of openings.waiting.values()) {
    const begin = origin === null ? null : origin.from.isWork ? origin.from : beginOf(origin.from);
    if (begin !== null) connecting.add(begin);
  }
  for (const delivery of deliveries.open) {
    const { work } = delivery;
    const batch = deliveries.batches.get(work.thread);
    if (batch !== undefined) {
      const doneNs = batch.calls.at(-1)?.doneNs ?? work.readNs;
      if (doneNs !== Infinity && nowNs - doneNs >= batchIdleNs) over.push(work);
      continue;
    }
    const quietNs = nowNs - lastNs(delivery);
    const isQuiet = quietNs >= patience(delivery, deliveries) && !isBusy(delivery) &&
      !connecting.has(work) && (quietNs >= turnMaxNs || work.thread.soFar.turn !== work.turn);
    if (isQuiet) over.push(work);
    else if (quietNs >= givenUpNs) over.push(work);
  }
  return over;
}

/** The work has ended: what it did tells how long to wait for others. */
export function removeDelivery(work: Work, program: ProgramState): void {
  const { deliveries } = program;
  const delivery = deliveries.open.find((each) => each.work === work);
  if (delivery === undefined) return;
  deliveries.open = deliveries.open.filter((each) => each !== delivery);
  deliveries.works.delete(work);
  const { kind, thread } = work;
  const calls = callsOf(delivery);
  work.answerNs = lastNs(delivery);
  work.answerThread = thread;
  if (!isSequential(consumerOf(thread, deliveries))) {
    const isUsual = learnCourse(kind, delivery.following, deliveries.courses, program);
    if (isUsual) learnHabit(kind, calls.map((call) => call.kind), deliveries.habits);
    if (isUsual && !work.alone) {
      learnConsequences({ ...work, trail: [work, ...calls] }, program.consequences);
    }
  } else if (!isShared(work, deliveries)) {
    learnHabit(kind, calls.map((call) => call.kind), deliveries.habits);
  }
  let beforeNs = work.readNs;
  for (const call of calls) {
    deliveries.pauseNs = Math.max(deliveries.pauseNs * pauseKept, call.sentNs - beforeNs);
    if (call.doneNs !== Infinity) beforeNs = Math.max(beforeNs, call.doneNs);
  }
}

/** Its thread held others at the same time. */
function isShared({ thread, readNs }: Work, { open, lastShared }: Deliveries): boolean {
  if (lastShared.get(thread) === readNs) return true;
  if (!open.some(({ work }) => work.thread === thread)) return false;
  lastShared.set(thread, readNs);
  return true;
}

/** What a longer pause counts after each that was shorter. */
const pauseKept = 0.9;

/** Those given to it, or if these are more, those that follow from it. */
function callsOf({ work: { story }, following }: Delivery): readonly Call[] {
  return story.length >= following.length ? story : following.map(({ call }) => call);
}

/** True while a call for it is under way. */
const isBusy = (delivery: Delivery): boolean =>
  callsOf(delivery).some(({ doneNs }) => doneNs === Infinity);

/** When something was read for it last. */
function lastNs(delivery: Delivery): number {
  let lastNs = delivery.work.readNs;
  for (const { sentNs, doneNs } of callsOf(delivery)) {
    lastNs = Math.max(lastNs, doneNs === Infinity ? sentNs : doneNs);
  }
  return lastNs;
}

/** How long nothing happens before a work is taken to be over. */
function patience(delivery: Delivery, { habits, pauseNs }: Deliveries): number {
  if (delivery.isSettled) return settledNs;
  let done = untouched(delivery.work.kind);
  for (const { kind } of callsOf(delivery)) done = continued(done, kind);
  if (likelihood(done, DONE, habits) >= doneFrom) return settledNs;
  return Math.min(idleMaxNs, Math.max(idleMinNs, longerThanSeen * pauseNs));
}

/** So likely nothing more is to come. */
const doneFrom = 0.85;
/** Turns of a loop are shorter than this. */
const turnMaxNs = 1_000_000_000;
const lookNs = 200_000;
const batchIdleNs = 2_000_000_000;
const settledNs = 1_000_000;
const idleMinNs = 20_000_000;
const idleMaxNs = 500_000_000;
const longerThanSeen = 4;
const givenUpNs = 30_000_000_000;
export function consumerOf(thread: Thread, { consumers }: Deliveries): Consumer {
  let consumer = consumers.get(thread);
  if (consumer === undefined) {
    if (consumers.size >= LIMITS.linkThreads.value) consumers.clear();
    consumer = { reads: 0, overlaps: 0, calls: 0 };
    consumers.set(thread, consumer);
  }
  return consumer;
}

/** It makes its calls itself, and hardly ever reads more before they are done. */
export function isSequential({ reads, overlaps, calls }: Consumer): boolean {
  return calls > 0 && overlaps <= reads * overlapsMax;
}

const overlapsMax = 0.02;
