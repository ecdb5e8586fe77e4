// SPDX-License-Identifier: Apache-2.0
// What a thread, or a coroutine, works on of what it has read.
//
// Who serves a connection in order works on one request of it after the other, even if the client
// has sent several at once: the next one begins where the one before has ended. After the last
// answer it is still busy with that request, until it reads another.

import type { MessageSeen } from "../../../model/message.ts";
import type { ProgramState, Thread, Work } from "../program.ts";

/** When the thread takes up what it has read: Infinity while an earlier request is in hand. */
export function beginOfWork({ open }: Thread, seen: MessageSeen): number {
  const readNs = Number(seen.emitNs);
  if (open.length === 0 || seen.message.id !== null) return readNs;
  const { conn } = seen.connection;
  return open.every((work) => isInOrderOn(work, conn)) ? Infinity : readNs;
}

const isInOrderOn = ({ exchange: { connection, request } }: Work, conn: number): boolean =>
  connection.conn === conn && request?.message.id === null;

/** The next in line begins, and who tells coroutines apart may still ask for the one that ended. */
export function noteEnd(work: Work, program: ProgramState): void {
  const { thread } = work;
  const { open } = thread;
  const next = open.find(({ beganNs }) => beganNs === Infinity);
  if (next !== undefined && open[0] === next) next.beganNs = work.endNs;
  if (thread.isCoroutine && work.beganNs !== Infinity) noteServed(work, program);
}

export function noteServed(work: Work, program: ProgramState): void {
  if (work.isServed) return;
  work.isServed = true;
  work.thread.served.push(work);
  program.served.push(work);
  if (program.served.length < 2 * servedMax) return;
  for (const each of program.served.splice(0, servedMax)) {
    const at = each.thread.served.indexOf(each);
    if (at >= 0) each.thread.served.splice(at, 1);
  }
}

/** Requests of a program that are remembered after they were answered, about. */
const servedMax = 2_048;

/** The only work that was taken up by then and is not answered, else the one answered last. */
export function inHand({ open, served }: Thread, atNs: number): Work | null {
  let held: Work | null = null;
  for (const work of open) {
    if (work.beganNs > atNs) continue;
    if (held !== null) return null;
    held = work;
  }
  return held ?? served.at(-1) ?? null;
}

/** What the thread had taken up last by then; with 0 the last that it holds. */
export function heldAt({ open, served }: Thread, atNs: number): Work | null {
  const hasBegun = ({ beganNs }: Work) => beganNs <= atNs;
  if (atNs === 0) return open.findLast(({ beganNs }) => beganNs !== Infinity) ?? null;
  return open.findLast(hasBegun) ?? served.findLast(hasBegun) ?? null;
}

/** Of several requests of one connection that a thread has read, the one that it works on. */
export function firstInLine({ open, isCrossed }: Thread): Work | null {
  const [first, second] = open;
  if (first === undefined || second === undefined) return first ?? null;
  return !isCrossed && second.beganNs === Infinity ? first : null;
}

/**
 * A thread that sends while it waits for another answer, or reads requests of two connections at
 * once, works on several at a time.
 */
export function noteCrossing(thread: Thread, conn: number): void {
  if (thread.isCrossed || thread.open.length < 2) return;
  const waits = thread.task.some(({ responded, exchange }) =>
    !responded && exchange.connection.conn !== conn
  );
  if (waits || thread.open.some(({ beganNs }, i) => i > 0 && beganNs !== Infinity)) {
    thread.isCrossed = true;
  }
}
