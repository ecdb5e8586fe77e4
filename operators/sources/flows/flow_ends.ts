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

/** An address in words of 32 bits, signed: one, or four of IPv6. Arrays of these are small. */
type Words = readonly number[];

export interface FlowEnds {
  readonly server: Words;
  readonly client: Words;
  readonly serverPort: number;
  readonly clientPort: number;
}

export function endsOf(frame: Frame, serverIsSource: boolean): FlowEnds {
  const { bytes, at } = frame;
  const source = wordsAt(frame, frame.sourceAt);
  const destination = wordsAt(frame, frame.destinationAt);
  const sourcePort = u16(bytes, at), destinationPort = u16(bytes, at + 2);
  return serverIsSource
    ? { server: source, client: destination, serverPort: sourcePort, clientPort: destinationPort }
    : { server: destination, client: source, serverPort: destinationPort, clientPort: sourcePort };
}

function wordsAt({ bytes, family }: Frame, at: number): Words {
  const first = wordAt(bytes, at);
  return family === 4
    ? [first]
    : [first, wordAt(bytes, at + 4), wordAt(bytes, at + 8), wordAt(bytes, at + 12)];
}

const wordAt = (bytes: Uint8Array, at: number): number => u16(bytes, at) << 16 | u16(bytes, at + 2);

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

export function isAddress({ bytes, family }: Frame, at: number, address: Words): boolean {
  if (address.length !== (family === 4 ? 1 : 4)) return false;
  for (let i = 0; i < address.length; i++) {
    if (wordAt(bytes, at + 4 * i) !== address[i]) return false;
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

const addressOf = (address: Words, port: number): Address => ({ ip: textOf(address), port });

/** A power of two: so many addresses have their text kept. Captures name the same ones again. */
const TEXTS_KEPT = 256;

interface AddressText {
  readonly address: Words;
  readonly text: string;
}

const texts: (AddressText | undefined)[] = new Array(TEXTS_KEPT).fill(undefined);

function textOf(address: Words): string {
  const last = address[address.length - 1] ?? 0;
  const place = (last ^ last >>> 8) & (TEXTS_KEPT - 1);
  const known = texts[place];
  if (known !== undefined && isSame(known.address, address)) return known.text;
  const bytes = bytesOf(address);
  const text = bytes.length === 4 ? formatIpv4(bytes, 0) : formatIpv6(bytes, 0);
  texts[place] = { address, text };
  return text;
}

const isSame = (a: Words, b: Words): boolean =>
  a.length === b.length && a.every((word, i) => word === b[i]);

function bytesOf(address: Words): Uint8Array {
  const bytes = new Uint8Array(4 * address.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of address.entries()) view.setInt32(4 * i, word);
  return bytes;
}

/** In halves of 32 bits; the factor is 2^40 + 0x1b3. */
let high = 0, low = 0;

function mix(value: number): void {
  const mixed = (low ^ value) >>> 0;
  const product = mixed * 0x1b3;
  high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (mixed << 8)) >>> 0;
  low = product >>> 0;
}

function mixWords(words: Words): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    for (let shift = 24; shift >= 0; shift -= 8) mix(word >>> shift & 0xff);
  }
}

/** FNV-1a, 64 bits, over both ends and the first time stamp: ports are used again later. */
function hashOf(ends: FlowEnds, transport: string, firstNs: Nanos): bigint {
  high = 0xcbf29ce4;
  low = 0x84222325;
  mixWords(ends.server);
  mixWords(ends.client);
  mix(ends.serverPort);
  mix(ends.clientPort);
  mix(transport === "tcp" ? 6 : 17);
  if (firstNs > 0n) {
    const upper = Number(firstNs >> 32n), lower = Number(firstNs & 0xffff_ffffn);
    // From the lowest 16 bits on, without the zeros above the highest.
    mix(lower & 0xffff);
    if (upper > 0 || lower > 0xffff) mix(lower >>> 16);
    if (upper > 0) mix(upper & 0xffff);
    if (upper > 0xffff) mix(upper >>> 16);
  }
  return BigInt(high) << 32n | BigInt(low);
}
