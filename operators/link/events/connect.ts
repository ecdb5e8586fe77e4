// SPDX-License-Identifier: Apache-2.0
// A connection is opened: in that moment a loop decides on whose behalf it will send, although it
// can only send once the other end has answered. So what the first call of a connection follows
// from is looked for then, and whoever it was opened for does not wait in line any more.

import { type ConnectFact, isContext } from "../../../model/capture_record.ts";
import { formatAddress } from "../../../model/connection.ts";
import type { MessageSeen } from "../../../model/message.ts";
import { noteAct, noteSent } from "../callbacks/between.ts";
import { beginToAsk, onlyServes } from "../one_sided.ts";
import { isOver, originOf } from "../origin.ts";
import type { Origin, ProgramState, Thread, Work } from "../program.ts";
import { oldestOpen, onlyOne } from "../works.ts";
import { led } from "./follow.ts";

/** How things stood when a connection was opened. */
export interface Opening {
  readonly thread: Thread;
  readonly turn: number;
  readonly atNs: number;
  /** Kind of what is likely sent on it. */
  readonly kind: number;
  readonly peer: string;
  origin: Origin | null;
  readonly orderBefore: number;
  readonly openBefore: number;
  readonly oldestBefore: number;
  readonly only: Work | null;
}

export interface Openings {
  /** By the cookie of the socket, until something is sent. */
  readonly waiting: Map<bigint, Opening>;
  /** The kind that was first sent on the last connection to each peer. */
  readonly kinds: Map<string, number>;
}

export const startOpenings = (): Openings => ({ waiting: new Map(), kinds: new Map() });

export function noteConnect(fact: ConnectFact, program: ProgramState): void {
  const { cookie, turn, emitNs } = fact;
  const thread = program.threads.get(fact.tid);
  if (!thread?.readsRequests) return;
  if (onlyServes(program)) beginToAsk(program);
  const { waiting, kinds } = program.openings;
  const peer = formatAddress(fact.peer);
  const kind = kinds.get(peer) ?? UNKNOWN_KIND;
  const sending = { thread, turn, kind, lastOnConnection: null, isFresh: false, isOpening: true };
  noteAct(thread, kind, turn, program);
  const origin = originOf(sending, program);
  if (origin !== null) led(origin.from, kind, program);
  if (waiting.size >= openingsMax) forgetOldest(waiting);
  const opening: Opening = {
    thread,
    turn,
    atNs: Number(emitNs),
    kind,
    peer,
    origin: origin?.by === "at_once" ? { from: origin.from, by: "connected" } : origin,
    orderBefore: program.nextOrder,
    openBefore: program.open,
    oldestBefore: oldestOpen(program),
    only: onlyOne(program),
  };
  waiting.set(cookie, opening);
  if (origin?.by === "at_once") noteSent(opening, origin.from, sending);
}

/** Of what is sent to peers that nothing was sent to yet. */
const UNKNOWN_KIND = -2;

/** Connections of one program that are open and unused, and peers that are told apart. */
const openingsMax = 4_096;

function forgetOldest(map: Map<unknown, unknown>): void {
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/**
 * How things stood when the connection was opened for what is sent on it first. Null if it was not
 * seen, or opened in advance: for nothing, or for what is over by now.
 */
export function openingFor(
  { connection: { cookie }, coroutine }: MessageSeen,
  kind: number,
  thread: Thread,
  program: ProgramState,
): Opening | null {
  const { waiting, kinds } = program.openings;
  const opening = waiting.get(cookie);
  if (opening === undefined) return null;
  waiting.delete(cookie);
  if (kinds.size >= openingsMax) forgetOldest(kinds);
  kinds.set(opening.peer, kind);
  const { origin } = opening;
  if (origin !== null) {
    const { sent } = origin.from;
    const at = sent.lastIndexOf(opening.kind);
    if (at >= 0) sent.splice(at, 1);
  }
  const isOwn = opening.thread === thread && (coroutine === 0n || isContext(coroutine));
  if (!isOwn || origin === null || isOver(origin.from)) return null;
  return opening;
}
