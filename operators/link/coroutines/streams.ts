// SPDX-License-Identifier: Apache-2.0
// Which coroutine works for which stream of a connection that many share (HTTP/2, gRPC): one reads
// them all, or writes them all, and each is worked on by another, as the source tells.
//
// The source names a connection by the address of the object that the program keeps for it. Which
// connection that is shows in who reads on it, or in a stream that only one connection has open.

import type { CoroutineBirth, CoroutineTask } from "../../../model/capture_record.ts";
import { LIMITS } from "../../../model/limits.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { threadById } from "../events/thread_of.ts";
import type { Call, ProgramState, Work } from "../program.ts";
import { noteServed } from "./in_hand.ts";
import { workOf } from "./lineage.ts";

export interface Streams {
  /** Objects by the coroutine that reads for them, until it has read a message. */
  readonly readers: Map<bigint, bigint>;
  /** Who started the coroutine that reads for an object, and may have read before it. */
  readonly starters: Map<bigint, bigint>;
  /** Number of the connection that an object stands for. */
  readonly connections: Map<bigint, number>;
  /** By object and stream: who sends the request, told before that was seen. */
  readonly senders: Map<bigint, Map<number, bigint>>;
  /** By connection and stream: requests that were sent and not answered. */
  readonly calls: Map<number, Map<number, Call>>;
}

export function startStreams(): Streams {
  return {
    readers: new Map(),
    starters: new Map(),
    connections: new Map(),
    senders: new Map(),
    calls: new Map(),
  };
}

/** The source tells what a coroutine does from now on. */
export function noteTask(
  line: readonly CoroutineBirth[],
  task: CoroutineTask,
  atNs: number,
  program: ProgramState,
): void {
  const { streams } = program;
  const [self, starter] = line;
  if (self === undefined) return;
  if (task.what === "given") return;
  const { object } = task;
  switch (task.what) {
    case "reads":
      streams.connections.delete(object);
      streams.senders.delete(object);
      keep(streams.readers, self.coroutine, object);
      if (starter !== undefined) keep(streams.starters, object, starter.coroutine);
      return;
    case "handles": {
      const work = workOnStream(object, task.stream, program);
      if (work === null) return;
      keep(streams.connections, object, work.exchange.connection.conn);
      takeOver(work, self.coroutine, atNs, program);
      return;
    }
    case "sends": {
      const conn = streams.connections.get(object);
      const call = conn === undefined ? undefined : streams.calls.get(conn)?.get(task.stream);
      if (call !== undefined) return tellSender(call, self.coroutine, program);
      const senders = streams.senders.get(object) ?? new Map<number, bigint>();
      keep(senders, task.stream, self.coroutine);
      keep(streams.senders, object, senders);
      return;
    }
    case "begins": // see contexts.ts
  }
}

/** A message was read: whoever reads for an object tells by that which connection it is. */
export function noteReading(
  { coroutine, connection, message }: MessageSeen,
  program: ProgramState,
) {
  const { streams } = program;
  const { readers, senders } = streams;
  if (readers.size === 0 && senders.size === 0) return;
  const { conn } = connection;
  const object = readers.get(coroutine) ?? onlySender(conn, message.id, streams);
  if (object === undefined) return;
  readers.delete(coroutine);
  keep(streams.connections, object, conn);
  for (const [stream, sender] of senders.get(object) ?? []) {
    const call = streams.calls.get(conn)?.get(stream);
    if (call === undefined) continue;
    tellSender(call, sender, program);
    senders.get(object)?.delete(stream);
  }
}

/** Before anything of a connection is known: the only object on which this stream was sent. */
function onlySender(conn: number, id: unknown, { connections, senders, calls }: Streams) {
  if (typeof id !== "number" || !calls.get(conn)?.has(id)) return undefined;
  if ([...connections.values()].includes(conn)) return undefined;
  const objects = [...senders].filter(([object, streams]) =>
    streams.has(id) && !connections.has(object)
  );
  return objects.length === 1 ? objects[0]?.[0] : undefined;
}

/** A request was sent on a stream: who sends it is known already, or will be told. */
export function noteStream(call: Call, program: ProgramState): void {
  const { request, connection: { conn } } = call.exchange;
  const stream = request?.message.id;
  if (typeof stream !== "number" || request?.coroutine === 0n) return;
  const { calls, connections, senders } = program.streams;
  const ofConnection = calls.get(conn) ?? new Map<number, Call>();
  keep(ofConnection, stream, call);
  keep(calls, conn, ofConnection);
  if (senders.size === 0) return;
  for (const [object, of] of connections) {
    const sender = of === conn ? senders.get(object)?.get(stream) : undefined;
    if (sender === undefined) continue;
    senders.get(object)?.delete(stream);
    return tellSender(call, sender, program);
  }
}

export function forgetStream(call: Call, { streams: { calls } }: ProgramState): void {
  const { request, connection: { conn } } = call.exchange;
  const ofConnection = calls.get(conn);
  const stream = request?.message.id;
  if (ofConnection === undefined || typeof stream !== "number") return;
  if (ofConnection.get(stream) === call) ofConnection.delete(stream);
  if (ofConnection.size === 0) calls.delete(conn);
}

function tellSender(call: Call, sender: bigint, program: ProgramState): void {
  call.told = workOf(sender, call.sentNs, program);
  call.holder = call.told;
  call.lastRequest = call.told;
}

/** The work on a stream of the object's connection that nobody has taken over. */
function workOnStream(object: bigint, stream: number, program: ProgramState): Work | null {
  const { streams, works } = program;
  const conn = streams.connections.get(object);
  const starter = streams.starters.get(object);
  const before = starter === undefined ? undefined : program.threads.get(starter);
  let found: Work | null = null;
  let count = 0;
  for (let i = works.length - 1, left = program.open; i >= 0 && left > 0; i--) {
    const work = works[i];
    if (work === undefined || work.endNs !== Infinity) continue;
    left--;
    const { connection, request } = work.exchange;
    if (request?.message.id !== stream || work.isTaken) continue;
    if (conn === connection.conn) return work;
    if (conn !== undefined) continue;
    if (before === work.thread) return work;
    found = work;
    count++;
  }
  return count === 1 ? found : null;
}

function takeOver(work: Work, coroutine: bigint, atNs: number, program: ProgramState): void {
  const { open } = work.thread;
  const at = open.indexOf(work);
  if (at >= 0) open.splice(at, 1);
  const thread = threadById(coroutine, program);
  // Another one writes the answers: to begin the next is to have ended the one before.
  for (const left of thread.open.splice(0)) noteServed(left, program);
  thread.readsRequests = true;
  thread.open.push(work);
  work.thread = thread;
  work.beganNs = atNs;
  work.isTaken = true;
}

/** Bounded: what was told first is forgotten first. */
function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size >= LIMITS.linkThreads.value && !map.has(key)) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(key, value);
}
