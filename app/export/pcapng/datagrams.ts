// SPDX-License-Identifier: Apache-2.0
// UDP datagrams as packets, each once, although its sender and its receiver both were seen.

import type { ByteRun } from "../../../model/byte_run.ts";
import type { Address } from "../../../model/connection.ts";
import { ipBytes, isLoopback, isWildcard } from "./ip_bytes.ts";
import { type IpEnd, SEGMENT_BYTES_MAX, udpPacket } from "./ip_packet.ts";
import type { PacketOut } from "./packet_out.ts";

/** Pairs of ports with datagrams that may still be seen at their other end, and those of a pair. */
const PAIRS_MAX = 65_536;
const DATAGRAMS_MAX = 64;

interface Seen {
  readonly from: string;
  readonly to: string;
  /** Loopback addresses are those of a network namespace. */
  readonly netns: number;
  readonly length: number;
  readonly written: boolean;
}

export interface Datagrams {
  add(run: ByteRun, out: PacketOut): void;
}

export function datagrams(): Datagrams {
  const pairs = new Map<string, Seen[]>();

  /** True when the other end of it went out before. */
  function isSecond(from: Address, to: Address, seen: Seen): boolean {
    const key = `${from.port} ${to.port}`;
    const known = pairs.get(key) ?? [];
    const match = known.findIndex((each) => areOne(each, seen));
    if (match >= 0) {
      known.splice(match, 1);
      if (known.length === 0) pairs.delete(key);
      return true;
    }
    known.push(seen);
    if (known.length > DATAGRAMS_MAX) known.shift();
    pairs.delete(key);
    pairs.set(key, known);
    for (const oldest of pairs.keys()) {
      if (pairs.size <= PAIRS_MAX) break;
      pairs.delete(oldest);
    }
    return false;
  }

  return {
    add(run, out) {
      const { connection, event, length, emitNs } = run;
      const { peer } = connection;
      const local = { ip: ownAddress(connection.local.ip, peer.ip), port: connection.local.port };
      const written = event.direction === "egress";
      const [from, to] = written ? [local, peer] : [peer, local];
      const netns = isLoopback(peer.ip) ? connection.netns : 0;
      const seen = { from: from.ip, to: to.ip, netns, length, written };
      if (length > SEGMENT_BYTES_MAX || isSecond(from, to, seen)) return;
      const packet = udpPacket({ ...ends(from, to), payload: run.bytes, length });
      const { program } = event;
      out.packet({ emitNs, ...packet, inbound: !written, socket: connection, program, event });
    },
  };
}

/** A socket bound to all addresses talks to loopback from loopback; else its own is not known. */
const ownAddress = (own: string, peer: string) => isWildcard(own) && isLoopback(peer) ? peer : own;

function areOne(a: Seen, b: Seen): boolean {
  return a.written !== b.written && a.length === b.length && a.netns === b.netns &&
    isSame(a.from, b.from) && isSame(a.to, b.to);
}

const isSame = (a: string, b: string) => a === b || isWildcard(a) || isWildcard(b);

/** Both of one IP version; what is not known is the wildcard of that version. */
function ends(from: Address, to: Address): { from: IpEnd; to: IpEnd } {
  const [a, b] = [from, to].map(({ ip }) => isWildcard(ip) ? null : ipBytes(ip));
  const bytes = Math.max(a?.length ?? 0, b?.length ?? 0) || 4;
  const endOf = (ip: Uint8Array | null | undefined, { port }: Address): IpEnd => ({
    ip: ip?.length === bytes ? ip : new Uint8Array(bytes),
    port,
  });
  return { from: endOf(a, from), to: endOf(b, to) };
}
