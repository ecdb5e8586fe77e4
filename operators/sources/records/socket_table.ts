// SPDX-License-Identifier: Apache-2.0
// Interns sockets: one Connection per socket cookie, from its first record to its end.
//
// The kernel tells the end of TCP sockets only. The others end when their only process does, a
// while after both streams ended, or after having been idle for long; and beyond the limit
// the idlest of all is forgotten, which is counted.

import { dataEventAt as D } from "../../../bpf/event.gen.ts";
import type { SocketClose } from "../../../model/capture_record.ts";
import type { Connection } from "../../../model/connection.ts";
import { LIMITS } from "../../../model/limits.ts";
import { HOUR, MINUTE, type Nanos, SECOND } from "../../../model/time.ts";
import { type RecencyList, recencyList, type Recent } from "../recency_list.ts";
import {
  type Ends,
  keyOfCookie,
  newConnection,
  readEnds,
  sameEnds,
  type SocketKey,
  socketKey,
  unixAddress,
  updateEnds,
} from "./socket_ends.ts";

/** A socket with what its records are compared with. */
export interface SocketState extends Recent<SocketState> {
  readonly connection: Connection;
  readonly key: SocketKey;
  readonly ends: Ends;
  /** Thread group that used it so far; 0 once a second one has. */
  owner: number;
  usedNs: Nanos;
  waiting: Waiting;
}

/** Sockets that wait for the same sign of their end, ordered by last use. */
interface Waiting {
  readonly list: RecencyList<SocketState>;
  /** To be idle for that long counts as the end; null: only the kernel tells. */
  readonly idleNs: Nanos | null;
}

export interface SocketTableOptions {
  readonly socketsMax?: number;
  readonly closed: (connection: Connection, emitNs: Nanos, reason: SocketClose["reason"]) => void;
  /** A socket was forgotten, though perhaps not over, because too many are known. */
  readonly forgotten: () => void;
}

export interface SocketTable {
  find(view: DataView, at: number): SocketState | undefined;
  /** Adds the socket of the data record at `at`, which `tgid` caused. */
  add(bytes: Uint8Array, view: DataView, at: number, emitNs: Nanos): SocketState;
  /** Notes a use, and what the record at `at` knows better than the first one did. */
  use(socket: SocketState, bytes: Uint8Array, view: DataView, at: number, emitNs: Nanos): void;
  close(socket: SocketState, emitNs: Nanos, reason: SocketClose["reason"]): void;
  /** Both streams have ended: nothing much is expected of this socket and its peer. */
  ended(socket: SocketState): void;
  exited(tgid: number, emitNs: Nanos): void;
  /** Closes those that were idle for too long at that time. */
  expire(nowNs: Nanos): void;
  /** Names of a unix socket, before its first data or later. */
  nameUnix(view: DataView, at: number, local: string, peer: string): void;
  readonly size: number;
}

export function socketTable(options: SocketTableOptions): SocketTable {
  const { socketsMax = LIMITS.connections.value, closed, forgotten } = options;
  const byCookie = new Map<SocketKey, SocketState>();
  const names = unixNames();
  const owned = ownedSockets();
  const waiting = {
    tcp: { list: recencyList<SocketState>(), idleNs: null },
    udp: { list: recencyList<SocketState>(), idleNs: 2n * MINUTE },
    unix: { list: recencyList<SocketState>(), idleNs: HOUR },
    ended: { list: recencyList<SocketState>(), idleNs: 10n * SECOND },
  } satisfies Record<string, Waiting>;
  const lists: readonly Waiting[] = Object.values(waiting);
  let conns = 0;

  function close(socket: SocketState, emitNs: Nanos, reason: SocketClose["reason"]): void {
    socket.waiting.list.remove(socket);
    byCookie.delete(socket.key);
    owned.remove(socket);
    closed(socket.connection, emitNs, reason);
  }

  function forgetIdlest(emitNs: Nanos): void {
    const idlest = idlestOf(lists);
    if (idlest === null) return;
    close(idlest, emitNs, "close");
    forgotten();
  }

  function expire(nowNs: Nanos): void {
    for (const { list, idleNs } of lists) {
      if (idleNs === null) continue;
      for (let oldest = list.oldest(); oldest !== null; oldest = list.oldest()) {
        if (nowNs - oldest.usedNs < idleNs) break;
        close(oldest, nowNs, "close");
      }
    }
  }

  function moveToEnded(socket: SocketState | undefined, emitNs: Nanos): void {
    if (socket === undefined || socket.connection.transport !== "unix") return;
    socket.usedNs = emitNs;
    socket.waiting.list.remove(socket);
    socket.waiting = waiting.ended;
    socket.waiting.list.append(socket);
  }

  return {
    find: (view, at) => byCookie.get(socketKey(view, at + D.cookie)),
    add(bytes, view, at, emitNs) {
      expire(emitNs);
      if (byCookie.size >= socketsMax) forgetIdlest(emitNs);
      const key = socketKey(view, at + D.cookie);
      const ends = readEnds(view, at);
      const connection = newConnection(conns++, ends, bytes, view, at, names.take(key));
      const wait = waiting[connection.transport];
      const owner = view.getUint32(at + D.tgid, true);
      const links = { older: null, newer: null };
      const socket = { connection, key, ends, owner, usedNs: emitNs, waiting: wait, ...links };
      byCookie.set(key, socket);
      wait.list.append(socket);
      if (connection.transport !== "tcp") owned.add(socket);
      introduce(connection, byCookie);
      return socket;
    },
    use(socket, bytes, view, at, emitNs) {
      socket.usedNs = emitNs;
      socket.waiting.list.touch(socket);
      if (!sameEnds(socket.ends, view, at)) {
        updateEnds(socket.connection, socket.ends, bytes, view, at);
      }
      if (socket.owner !== 0 && socket.owner !== view.getUint32(at + D.tgid, true)) {
        owned.remove(socket);
      }
    },
    close,
    ended(socket) {
      const { connection: { peerCookie }, usedNs } = socket;
      moveToEnded(socket, usedNs);
      if (peerCookie === 0n) return;
      moveToEnded(byCookie.get(keyOfCookie(peerCookie)), usedNs);
    },
    exited(tgid, emitNs) {
      for (const socket of owned.of(tgid)) close(socket, emitNs, "exit");
    },
    expire,
    nameUnix(view, at, local, peer) {
      const key = socketKey(view, at);
      const known = byCookie.get(key);
      if (known === undefined) return names.keep(key, [local, peer]);
      known.connection.local = unixAddress(local);
      known.connection.peer = unixAddress(peer);
    },
    get size() {
      return byCookie.size;
    },
  };
}

/** A client that wrote before it was accepted learns here who its peer is. */
function introduce(
  { cookie, peerCookie }: Connection,
  byCookie: ReadonlyMap<SocketKey, SocketState>,
): void {
  if (peerCookie === 0n) return;
  const peer = byCookie.get(keyOfCookie(peerCookie))?.connection;
  if (peer?.peerCookie === 0n) peer.peerCookie = cookie;
}

function idlestOf(lists: readonly Waiting[]): SocketState | null {
  let idlest: SocketState | null = null;
  for (const { list } of lists) {
    const oldest = list.oldest();
    if (oldest !== null && (idlest === null || oldest.usedNs < idlest.usedNs)) idlest = oldest;
  }
  return idlest;
}

/** Sockets without an end of their own, by the thread group that is the only one to use them. */
function ownedSockets() {
  const byOwner = new Map<number, Set<SocketState>>();
  return {
    of: (tgid: number): SocketState[] => [...byOwner.get(tgid) ?? []],
    add(socket: SocketState): void {
      const sockets = byOwner.get(socket.owner);
      if (sockets === undefined) byOwner.set(socket.owner, new Set([socket]));
      else sockets.add(socket);
    },
    remove(socket: SocketState): void {
      const sockets = byOwner.get(socket.owner);
      if (sockets?.delete(socket) && sockets.size === 0) byOwner.delete(socket.owner);
      socket.owner = 0;
    },
  };
}

type Names = readonly [local: string, peer: string];

/** Names of unix sockets whose data did not come yet. */
function unixNames() {
  const namedMax = 1024;
  const byKey = new Map<SocketKey, Names>();
  return {
    keep(key: SocketKey, names: Names): void {
      if (byKey.size >= namedMax) byKey.clear();
      byKey.set(key, names);
    },
    take(key: SocketKey): Names | undefined {
      const names = byKey.get(key);
      byKey.delete(key);
      return names;
    },
  };
}
