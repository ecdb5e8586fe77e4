// SPDX-License-Identifier: Apache-2.0
// The ends of a socket as its records give them, and the Connection made of the first record.

import { dataEventAt as D, dataFlags, role as roleCode } from "../../../bpf/event.gen.ts";
import type { Address, Connection, Role, Transport } from "../../../model/connection.ts";
import { formatIpv4, formatIpv6 } from "../ip_text.ts";

/** What can change during the life of a socket, as compared for every record of it. */
export interface Ends {
  role: number;
  localPort: number;
  peerPort: number;
  /** Words of the addresses, enough to see that one became known. */
  localWord: number;
  peerWord: number;
  /** Peer of the last datagram, where each has its own. */
  messagePeer: Address | null;
  messageWord: number;
}

const FAMILY = { unix: 1, ipv6: 10 } as const;
const PROTOCOL = { tcp: 6, udp: 17 } as const;
const STREAM = 1;

const ROLES: readonly Role[] = (() => {
  const roles: Role[] = [];
  roles[roleCode.unknown] = "unknown";
  roles[roleCode.client] = "client";
  roles[roleCode.server] = "server";
  return roles;
})();

/** A cookie as the key of a map: a number, exact, for all but the rarest. */
export type SocketKey = number | bigint;

/** High words below this leave a number exact. */
const HIGH_END = 1 << 21;
const WORD = 2 ** 32;
/** The portable path counts its own cookies from here. */
const TOP = 0x8000_0000;

/**
 * Of the cookie at `at`: the kernel counts from 1 up, and down from 2^64 where it was interrupted.
 */
export function socketKey(view: DataView, at: number): SocketKey {
  const low = view.getUint32(at, true), high = view.getUint32(at + 4, true);
  if (high < HIGH_END) return high * WORD + low;
  if (high >= TOP && high - TOP < HIGH_END) return -1 - ((high - TOP) * WORD + low);
  return view.getBigUint64(at, true);
}

/** The same of a cookie in hand. */
export function keyOfCookie(cookie: bigint): SocketKey {
  const high = Number(cookie >> 32n), low = Number(cookie & 0xffffffffn);
  if (high < HIGH_END) return high * WORD + low;
  return high >= TOP && high - TOP < HIGH_END ? -1 - ((high - TOP) * WORD + low) : cookie;
}

const wordOf = (view: DataView, at: number) =>
  view.getUint32(at, true) ^ view.getUint32(at + 4, true) ^ view.getUint32(at + 8, true) ^
  view.getUint32(at + 12, true);

/** True when the peer of the record is that of one datagram, not of the socket. */
function isPeerOfMessage(view: DataView, at: number): boolean {
  return (view.getUint32(at + D.flags, true) & dataFlags.peerOfMessage) !== 0;
}

export function readEnds(view: DataView, at: number): Ends {
  const own = !isPeerOfMessage(view, at);
  return {
    role: view.getUint8(at + D.role),
    localPort: view.getUint16(at + D.localPort, true),
    peerPort: own ? view.getUint16(at + D.peerPort, true) : 0,
    localWord: wordOf(view, at + D.localAddr),
    peerWord: own ? wordOf(view, at + D.peerAddr) : 0,
    messagePeer: null,
    messageWord: 0,
  };
}

export function sameEnds(ends: Ends, view: DataView, at: number): boolean {
  return ends.role === view.getUint8(at + D.role) &&
    ends.localPort === view.getUint16(at + D.localPort, true) &&
    ends.localWord === wordOf(view, at + D.localAddr) &&
    (isPeerOfMessage(view, at) ||
      (ends.peerPort === view.getUint16(at + D.peerPort, true) &&
        ends.peerWord === wordOf(view, at + D.peerAddr)));
}

/** Takes over what became known: a role, the address that a socket was bound to. */
export function updateEnds(
  connection: Connection,
  ends: Ends,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): void {
  const now = readEnds(view, at);
  ends.role = now.role;
  if (now.role !== roleCode.unknown) connection.role = ROLES[now.role] ?? "unknown";
  if (connection.transport === "unix") return;
  ends.localPort = now.localPort;
  ends.localWord = now.localWord;
  connection.local = readAddress(bytes, view, at, D.localAddr, now.localPort);
  if (isPeerOfMessage(view, at)) return;
  ends.peerPort = now.peerPort;
  ends.peerWord = now.peerWord;
  connection.peer = readAddress(bytes, view, at, D.peerAddr, now.peerPort);
}

/** Peer of the datagram at `at`, null where the socket is connected. */
export function peerOfMessage(
  ends: Ends,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): Address | null {
  if (!isPeerOfMessage(view, at)) return null;
  const port = view.getUint16(at + D.peerPort, true);
  const word = wordOf(view, at + D.peerAddr);
  if (ends.messagePeer?.port === port && ends.messageWord === word) return ends.messagePeer;
  ends.messageWord = word;
  ends.messagePeer = readAddress(bytes, view, at, D.peerAddr, port);
  return ends.messagePeer;
}

/** Of a record that has the layout of data events up to the flow. */
export const readPeer = (bytes: Uint8Array, view: DataView, at: number): Address =>
  readAddress(bytes, view, at, D.peerAddr, view.getUint16(at + D.peerPort, true));

export function newConnection(
  conn: number,
  ends: Ends,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  names: readonly [local: string, peer: string] | undefined,
): Connection {
  const transport = transportOf(view, at);
  const unix = transport === "unix";
  return {
    conn,
    cookie: view.getBigUint64(at + D.cookie, true),
    transport,
    netns: view.getUint32(at + D.netns, true),
    role: ROLES[ends.role] ?? "unknown",
    local: unix
      ? unixAddress(names?.[0] ?? "")
      : readAddress(bytes, view, at, D.localAddr, ends.localPort),
    peer: unix
      ? unixAddress(names?.[1] ?? "")
      : isPeerOfMessage(view, at)
      ? NO_ADDRESS
      : readAddress(bytes, view, at, D.peerAddr, ends.peerPort),
    startNs: view.getBigUint64(at + D.connStartNs, true),
    joinedMidstream: view.getUint8(at + D.joinedMidstream) !== 0,
    observer: "process",
    peerCookie: peerCookieAt(view, at),
  };
}

/** The portable path makes this of a peer that was not accepted yet and so has no number. */
const NO_COOKIE = 1n << 63n;

function peerCookieAt(view: DataView, at: number): bigint {
  const cookie = view.getBigUint64(at + D.peerCookie, true);
  return cookie === NO_COOKIE ? 0n : cookie;
}

const NO_ADDRESS: Address = { ip: "", port: 0 };

export const unixAddress = (path: string): Address =>
  path === "" ? NO_ADDRESS : { ip: path, port: 0 };

function transportOf(view: DataView, at: number): Transport {
  if (view.getUint16(at + D.family, true) === FAMILY.unix) return "unix";
  const protocol = view.getUint8(at + D.protocol);
  if (protocol === PROTOCOL.tcp) return "tcp";
  if (protocol === PROTOCOL.udp) return "udp";
  return view.getUint8(at + D.type) === STREAM ? "tcp" : "udp";
}

function readAddress(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  field: number,
  port: number,
): Address {
  const ipv6 = view.getUint16(at + D.family, true) === FAMILY.ipv6;
  const ip = ipv6 ? formatIpv6(bytes, at + field) : formatIpv4(bytes, at + field);
  return { ip, port };
}
