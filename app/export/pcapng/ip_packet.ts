// SPDX-License-Identifier: Apache-2.0
// IP packets around given payload: IPv4 or IPv6, TCP or UDP, with checksums.
// Sources: RFC 791, 8200, 9293, 768, 1071 (checksum), 7323 (window scale).
//
// A payload shorter than its length makes a packet as a capture with a snap length has it: the
// headers tell the whole length. Its transport checksum is 0, because it cannot be known.

/** One end: 4 or 16 bytes of address. */
export interface IpEnd {
  readonly ip: Uint8Array;
  readonly port: number;
}

export const TCP_FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface TcpSegment {
  readonly from: IpEnd;
  readonly to: IpEnd;
  /** u32. */
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  /** Bytes of payload on the wire, at least those at hand. */
  readonly length: number;
}

export interface UdpDatagram {
  readonly from: IpEnd;
  readonly to: IpEnd;
  readonly payload: Uint8Array;
  readonly length: number;
}

/** Payload of a segment or datagram that fits any IP packet beside its headers. */
export const SEGMENT_BYTES_MAX = 65_483;

const PROTOCOL = { tcp: 6, udp: 17 } as const;
const HEADER_BYTES = { tcp: 20, udp: 8, ipv4: 20, ipv6: 40 } as const;
const HOPS = 64;
const DONT_FRAGMENT = 0x4000;
/** Nothing made here ever fills a window. */
const WINDOW = 65_535;
const WINDOW_SHIFT = 14;
const SYN_OPTION_BYTES = 8;

/** A packet, and its length on the wire. */
export interface IpPacket {
  readonly bytes: Uint8Array;
  readonly wireBytes: number;
}

export function tcpPacket(segment: TcpSegment): IpPacket {
  const { from, to, flags, payload, length } = segment;
  const syn = (flags & TCP_FLAG.syn) !== 0;
  const head = HEADER_BYTES.tcp + (syn ? SYN_OPTION_BYTES : 0);
  const { bytes, view, at } = ipHeader(from, to, PROTOCOL.tcp, head + length, payload, head);
  view.setUint16(at, from.port);
  view.setUint16(at + 2, to.port);
  view.setUint32(at + 4, segment.seq >>> 0);
  view.setUint32(at + 8, segment.ack >>> 0);
  view.setUint8(at + 12, (head / 4) << 4);
  view.setUint8(at + 13, flags);
  view.setUint16(at + 14, WINDOW);
  if (syn) writeSynOptions(view, at + HEADER_BYTES.tcp, from.ip.length);
  if (payload.length === length) {
    view.setUint16(at + 16, transportChecksum(bytes, view, at, from, to, PROTOCOL.tcp));
  }
  return { bytes, wireBytes: at + head + length };
}

/** Maximum segment size, a byte to align, window scale. */
function writeSynOptions(view: DataView, at: number, addressBytes: number): void {
  view.setUint16(at, 0x0204);
  view.setUint16(at + 2, addressBytes === 4 ? 65_495 : 65_475);
  view.setUint32(at + 4, 0x01030300 | WINDOW_SHIFT);
}

export function udpPacket({ from, to, payload, length }: UdpDatagram): IpPacket {
  const head = HEADER_BYTES.udp;
  const { bytes, view, at } = ipHeader(from, to, PROTOCOL.udp, head + length, payload, head);
  view.setUint16(at, from.port);
  view.setUint16(at + 2, to.port);
  view.setUint16(at + 4, head + length);
  if (payload.length === length) {
    const sum = transportChecksum(bytes, view, at, from, to, PROTOCOL.udp);
    // 0 would mean that there is none.
    view.setUint16(at + 6, sum === 0 ? 0xffff : sum);
  }
  return { bytes, wireBytes: at + head + length };
}

/** Room for a packet with its IP header written and its payload in place; `at`: behind IP. */
function ipHeader(
  from: IpEnd,
  to: IpEnd,
  protocol: number,
  length: number,
  payload: Uint8Array,
  head: number,
) {
  const isIpv4 = from.ip.length === 4;
  const at = isIpv4 ? HEADER_BYTES.ipv4 : HEADER_BYTES.ipv6;
  const bytes = new Uint8Array(at + head + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(payload, at + head);
  if (isIpv4) {
    view.setUint8(0, 0x45);
    view.setUint16(2, at + length);
    view.setUint16(6, DONT_FRAGMENT);
    view.setUint8(8, HOPS);
    view.setUint8(9, protocol);
    bytes.set(from.ip, 12);
    bytes.set(to.ip, 16);
    view.setUint16(10, folded(sumOf(view, 0, at)));
  } else {
    view.setUint32(0, 0x60000000);
    view.setUint16(4, length);
    view.setUint8(6, protocol);
    view.setUint8(7, HOPS);
    bytes.set(from.ip, 8);
    bytes.set(to.ip, 24);
  }
  return { bytes, view, at };
}

/** Over the pseudo header and everything from `at` on, whose checksum field is still 0. */
function transportChecksum(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  from: IpEnd,
  to: IpEnd,
  protocol: number,
): number {
  const length = bytes.length - at;
  const addresses = sumOfBytes(from.ip) + sumOfBytes(to.ip);
  return folded(addresses + protocol + length + sumOf(view, at, bytes.length));
}

/** Sum of the big-endian 16-bit words; the last one may be half. */
function sumOf(view: DataView, from: number, to: number): number {
  let sum = 0;
  let at = from;
  for (; at + 1 < to; at += 2) sum += view.getUint16(at);
  return at < to ? sum + view.getUint8(at) * 256 : sum;
}

function sumOfBytes(bytes: Uint8Array): number {
  return sumOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
}

/** One's complement of the one's complement sum. */
function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x10000);
  return ~rest & 0xffff;
}
