// SPDX-License-Identifier: Apache-2.0
// Contexts: a program says itself for which of its requests it writes. With which request a context
// begins, and on which stream it sends, it says with the cookie of the connection.
//
// All contexts are in the hands of one thread, and what else is known of that thread stays known:
// a context is no thread of its own.

import {
  type CoroutineBirth,
  type CoroutineTask,
  isContext,
} from "../../../model/capture_record.ts";
import { LIMITS } from "../../../model/limits.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import { joinReadLine } from "./read_line.ts";

export interface Contexts {
  /** What each works on, until long after it was answered. */
  readonly works: Map<bigint, Work>;
  /** Requests with which no context has begun, by cookie of their connection, in order. */
  readonly waiting: Map<bigint, Work[]>;
  /** Who sends which stream of which connection, where the request was not seen before. */
  readonly senders: Map<string, bigint>;
  /** Requests that were sent on streams, of which is not known by whom. */
  readonly sent: Map<string, Call>;
}

export function startContexts(): Contexts {
  return { works: new Map(), waiting: new Map(), senders: new Map(), sent: new Map() };
}

/** Says whether it was a context that does something. */
export function noteContext(
  [self]: readonly CoroutineBirth[],
  task: CoroutineTask | undefined,
  { contexts }: ProgramState,
): boolean {
  if (self === undefined || !isContext(self.coroutine)) return false;
  if (task?.what === "begins") {
    const work = takeWaiting(task.object, task.stream, contexts);
    if (work !== null) keep(contexts.works, self.coroutine, work);
  } else if (task?.what === "sends") {
    const key = keyOf(task.object, task.stream);
    const call = contexts.sent.get(key);
    if (call === undefined) keep(contexts.senders, key, self.coroutine);
    else tell(call, workOfContext(self.coroutine, call.sentNs, contexts));
    contexts.sent.delete(key);
  }
  return true;
}

/** A request was read, with which a context may begin. */
export function joinContexts(work: Work, { contexts: { waiting } }: ProgramState): void {
  joinReadLine(waiting, work.exchange.connection.cookie, work);
}

/** What the context works on that sends a call; null where it is not known, or long over. */
export function workOfContext(
  coroutine: bigint,
  atNs: number,
  { works }: Contexts,
): Work | null {
  const work = works.get(coroutine);
  return work === undefined || atNs > work.endNs + afterNs ? null : work;
}

const afterNs = LIMITS.linkAfterMs.value * 1e6;

/** On streams, several are written at once: by whom each is sent is told, or will be. */
export function tellContext(call: Call, { contexts }: ProgramState): void {
  const { request, connection } = call.exchange;
  const stream = request?.message.id;
  if (typeof stream !== "number" || contexts.works.size === 0) return;
  const key = keyOf(connection.cookie, stream);
  const sender = contexts.senders.get(key);
  if (sender === undefined) keep(contexts.sent, key, call);
  else tell(call, workOfContext(sender, call.sentNs, contexts));
  contexts.senders.delete(key);
}

function takeWaiting(cookie: bigint, stream: number, { waiting }: Contexts): Work | null {
  const line = waiting.get(cookie) ?? [];
  const at = line.findIndex(({ exchange: { request } }) =>
    stream === 0 ? request?.message.id === null : request?.message.id === stream
  );
  const work = line[at];
  if (work === undefined) return null;
  line.splice(at, 1);
  return work;
}

function tell(call: Call, work: Work | null): void {
  if (work === null || call.told !== null) return;
  call.told = work;
  call.holder = work;
  call.lastRequest = work;
}

const keyOf = (cookie: bigint, stream: number): string => `${cookie} ${stream}`;

/** Bounded: what was told first is forgotten first. */
function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  if (map.size >= LIMITS.linkCoroutines.value) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(key, value);
}
