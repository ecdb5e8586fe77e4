// SPDX-License-Identifier: Apache-2.0
// The two ends of a flow of packets, which of them is the server, and the Connection made of them.
//
// Convention: a capture file shows the server's side. The server end is `local`, its role is
// "server", ingress runs toward it. So a network span reads like the server's own. Of a TCP flow
// whose handshake was not seen, ports only suggest which end that is: its role is "unknown", and
// what is said on it tells.

import type { Address, Connection } from "../../../model/connection.ts";
import type { Nanos } from "../../../model/time.ts";
import { formatIpv4, formatIpv6 } from "../ip_text.ts";
import { type Frame, u16 } from "../packets/frame.ts";

/** Addresses are 4 or 16 bytes, owned. */
export interface FlowEnds {
  readonly server: Uint8Array;
  readonly client: Uint8Array;
  readonly serverPort: number;
  readonly clientPort: number;
}

export function endsOf(frame: Frame, serverIsSource: boolean): FlowEnds {
  const { bytes, at, sourceAt, destinationAt } = frame;
  const addressBytes = frame.family === 4 ? 4 : 16;
  const source = bytes.slice(sourceAt, sourceAt + addressBytes);
  const destination = bytes.slice(destinationAt, destinationAt + addressBytes);
  const sourcePort = u16(bytes, at), destinationPort = u16(bytes, at + 2);
  return serverIsSource
    ? { server: source, client: destination, serverPort: sourcePort, clientPort: destinationPort }
    : { server: destination, client: source, serverPort: destinationPort, clientPort: sourcePort };
}

/**
 * Without a handshake: the end with the more server-like port, else the destination of the first
 * packet. Ports below 1024 are privileged, those from 32768 on are given to clients.
 */
export function isServerBySourcePort(frame: Frame): boolean {
  return likeness(u16(frame.bytes, frame.at)) > likeness(u16(frame.bytes, frame.at + 2));
}

const likeness = (port: number) => port < 1024 ? 2 : port < 32_768 ? 1 : 0;

export function isFromServer(frame: Frame, ends: FlowEnds): boolean {
  return u16(frame.bytes, frame.at) === ends.serverPort &&
    isAddress(frame, frame.sourceAt, ends.server);
}

export function isAddress(frame: Frame, at: number, address: Uint8Array): boolean {
  if (address.length !== (frame.family === 4 ? 4 : 16)) return false;
  for (let i = 0; i < address.length; i++) {
    if (frame.bytes[at + i] !== address[i]) return false;
  }
  return true;
}

export interface ConnectionDraft {
  readonly conn: number;
  readonly transport: "tcp" | "udp";
  readonly ends: FlowEnds;
  readonly firstNs: Nanos;
  /** The handshake was not seen. */
  readonly joinedMidstream: boolean;
}

export function connectionOf(draft: ConnectionDraft): Connection {
  const { ends, transport, firstNs, joinedMidstream } = draft;
  return {
    conn: draft.conn,
    cookie: hashOf(ends, transport, firstNs),
    transport,
    netns: 0,
    role: joinedMidstream && transport === "tcp" ? "unknown" : "server",
    local: addressOf(ends.server, ends.serverPort),
    peer: addressOf(ends.client, ends.clientPort),
    startNs: joinedMidstream ? 0n : firstNs,
    joinedMidstream,
    observer: "nic",
    peerCookie: 0n,
  };
}

function addressOf(address: Uint8Array, port: number): Address {
  return { ip: address.length === 4 ? formatIpv4(address, 0) : formatIpv6(address, 0), port };
}

/** FNV-1a, 64 bits, over both ends and the first time stamp: ports are used again later. */
function hashOf(ends: FlowEnds, transport: string, firstNs: Nanos): bigint {
  // In halves of 32 bits; the factor is 2^40 + 0x1b3.
  let high = 0xcbf29ce4, low = 0x84222325;
  const mix = (value: number) => {
    const mixed = (low ^ value) >>> 0;
    const product = mixed * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (mixed << 8)) >>> 0;
    low = product >>> 0;
  };
  for (const byte of ends.server) mix(byte);
  for (const byte of ends.client) mix(byte);
  mix(ends.serverPort);
  mix(ends.clientPort);
  mix(transport === "tcp" ? 6 : 17);
  for (let rest = firstNs; rest > 0n; rest >>= 16n) mix(Number(rest & 0xffffn));
  return BigInt(high) << 32n | BigInt(low);
}
