// SPDX-License-Identifier: Apache-2.0
// What has to be known of sockets before their packets can be written: the first pass over a
// recording. Which two sockets are the ends of one connection, where the sequence numbers of each
// direction begin, and which end saw more of the bytes.

import type { Direction, SocketEvent } from "../../../model/capture_record.ts";
import type { Connection } from "../../../model/connection.ts";
import { LIMITS } from "../../../model/limits.ts";
import { isLoopback } from "./ip_bytes.ts";

export interface SocketSurvey {
  /** Every event of the recording, in order. */
  take(event: SocketEvent): void;
  /** Index of the socket at the other end, -1 where that was not seen. */
  partnerOf(conn: number): number;
  /** Sequence number of stream offset 0, null where none was known exactly. */
  baseOf(conn: number, direction: Direction): number | null;
  /** Captured bytes of that direction. */
  capturedBy(conn: number, direction: Direction): number;
  /** Sockets are numbered as the source numbers them, the same in every pass. */
  readonly sockets: number;
}

/** Sockets of one recording, 36 bytes each; what lies beyond is left out. */
export const SOCKETS_MAX = 4_194_304;
/** The ends of a connection are established within this of each other. */
const START_NS = 3_000_000_000n;

export function socketSurvey(socketsMax = SOCKETS_MAX): SocketSurvey {
  let bases = new Float64Array(0), captured = new Float64Array(0), partners = new Int32Array(0);
  let sockets = 0;
  /** The last socket of a name that has no partner yet. */
  const waiting = new Map<string, Connection>();

  function grow(count: number): void {
    const room = Math.min(socketsMax, Math.max(1_024, 2 ** Math.ceil(Math.log2(count))));
    bases = grown(bases, new Float64Array(2 * room).fill(NaN));
    captured = grown(captured, new Float64Array(2 * room));
    partners = grown(partners, new Int32Array(room).fill(-1));
  }

  function meet(connection: Connection): void {
    const name = nameOf(connection);
    const other = name === null ? undefined : waiting.get(name);
    if (other !== undefined && areEnds(connection, other)) {
      partners[connection.conn] = other.conn;
      partners[other.conn] = connection.conn;
      waiting.delete(name ?? "");
      return;
    }
    for (const own of ownNames(connection)) {
      waiting.delete(own);
      waiting.set(own, connection);
    }
    for (const oldest of waiting.keys()) {
      if (waiting.size <= LIMITS.connections.value) break;
      waiting.delete(oldest);
    }
  }

  return {
    take({ connection, direction, seq, streamOffset, payload }) {
      const { conn, transport } = connection;
      if (conn < 0 || conn >= socketsMax || transport === "udp") return;
      if (conn >= partners.length) grow(conn + 1);
      if (conn >= sockets) sockets = conn + 1;
      const at = slot(conn, direction);
      const seen = captured[at] ?? 0;
      if (seen === 0 && captured[at ^ 1] === 0 && partners[conn] === -1) meet(connection);
      captured[at] = seen + payload.length;
      if (seq >= 0 && Number.isNaN(bases[at])) bases[at] = (seq - streamOffset) >>> 0;
    },
    partnerOf: (conn) => partners[conn] ?? -1,
    baseOf(conn, direction) {
      const base = bases[slot(conn, direction)] ?? NaN;
      return Number.isNaN(base) ? null : base;
    },
    capturedBy: (conn, direction) => captured[slot(conn, direction)] ?? 0,
    get sockets() {
      return sockets;
    },
  };
}

const slot = (conn: number, direction: Direction) => 2 * conn + (direction === "egress" ? 1 : 0);

function grown<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** The name under which the other end waits, if it came first. */
function nameOf(connection: Connection): string | null {
  if (connection.transport !== "unix") return ipName(connection);
  return connection.peerCookie === 0n ? null : `unix ${connection.peerCookie}`;
}

function ownNames(connection: Connection): string[] {
  return connection.transport === "unix" ? [`unix ${connection.cookie}`] : [ipName(connection)];
}

/** The same at both ends. Loopback addresses are those of their network namespace only. */
function ipName({ local, peer, netns }: Connection): string {
  const ends = [`${local.ip} ${local.port}`, `${peer.ip} ${peer.port}`].sort();
  return `${isLoopback(local.ip) ? netns : ""} ${ends.join(" ")}`;
}

function areEnds(a: Connection, b: Connection): boolean {
  if (a.transport !== b.transport || a.cookie === b.cookie) return false;
  if (a.transport === "unix") return a.peerCookie === b.cookie || b.peerCookie === a.cookie;
  if (a.local.ip !== b.peer.ip || a.local.port !== b.peer.port) return false;
  if (a.role === b.role && a.role !== "unknown") return false;
  const apartNs = a.startNs > b.startNs ? a.startNs - b.startNs : b.startNs - a.startNs;
  return a.startNs === 0n || b.startNs === 0n || apartNs < START_NS;
}
