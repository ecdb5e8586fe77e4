// SPDX-License-Identifier: Apache-2.0
// Tunnels over UDP, by port. A datagram to the port of a tunnel that does not look like that tunnel
// is a datagram like others.
// Sources: RFC 7348 (VXLAN) and the drafts of its two extensions, RFC 8926 (Geneve), RFC 8086
// (GRE), RFC 7510 (MPLS), RFC 4380 (Teredo), 3GPP TS 29.281 (GTP-U).

import { ETHER_TYPE, type Frame, type Layer, u16, u32 } from "./frame.ts";

/** 8472 is what Linux used for VXLAN before the number was assigned. */
const UDP_PORT = {
  vxlan: 4789,
  vxlanGpe: 4790,
  vxlanOld: 8472,
  geneve: 6081,
  gtpUser: 2152,
  gre: 4754,
  mpls: 6635,
  teredo: 3544,
} as const;

const UDP_BYTES = 8;
const IPV6_BYTES = 40;
/** Extension headers of one GTP packet believed. */
const EXTENSIONS_MAX = 8;

/** "transport" for what is no tunnel; `readGre` reads what is GRE over UDP. */
export function readUdpTunnel(frame: Frame, readGre: (frame: Frame) => Layer): Layer {
  const { bytes, at } = frame;
  const head = at + UDP_BYTES;
  switch (u16(bytes, at + 2)) {
    case UDP_PORT.vxlan:
    case UDP_PORT.vxlanGpe:
    case UDP_PORT.vxlanOld:
      return readVxlan(frame, head);
    case UDP_PORT.geneve:
      return readGeneve(frame, head);
    case UDP_PORT.gtpUser:
      return readGtp(frame, head);
    case UDP_PORT.gre:
      frame.at = head;
      return readGre(frame);
    case UDP_PORT.mpls:
      return pass(frame, head, ETHER_TYPE.mpls);
    case UDP_PORT.teredo:
      return readTeredo(frame, head);
    default:
      return u16(bytes, at) === UDP_PORT.teredo ? readTeredo(frame, head) : "transport";
  }
}

/** Flags, of which 0x08 is always there, 0x04 says that a protocol is named, 0x80 a group. */
function readVxlan(frame: Frame, head: number): Layer {
  const flags = frame.bytes[head] ?? 0;
  const rest = u32(frame.bytes, head) & 0xffffff;
  if (flags === 0x0c) {
    const type = GPE_PROTOCOLS[rest];
    return type === undefined ? "ignored" : pass(frame, head + 8, type);
  }
  const isVxlan = (flags === 0x08 && rest === 0) || flags === 0x88;
  return isVxlan ? pass(frame, head + 8, ETHER_TYPE.ethernet) : "transport";
}

/** 0: written by those who set the flag and no protocol. */
const GPE_PROTOCOLS: Readonly<Record<number, number>> = {
  0: ETHER_TYPE.ethernet,
  1: ETHER_TYPE.ipv4,
  2: ETHER_TYPE.ipv6,
  3: ETHER_TYPE.ethernet,
};

function readGeneve(frame: Frame, head: number): Layer {
  const first = frame.bytes[head] ?? 0;
  const type = u16(frame.bytes, head + 2);
  const known = type === ETHER_TYPE.ethernet || type === ETHER_TYPE.ipv4 ||
    type === ETHER_TYPE.ipv6;
  if (first >> 6 !== 0 || !known) return "transport";
  return pass(frame, head + 8 + (first & 0x3f) * 4, type);
}

/** Version 1, what a user sent (0xff): eight bytes, four more and extensions if a flag is set. */
function readGtp(frame: Frame, head: number): Layer {
  const { bytes } = frame;
  const first = bytes[head] ?? 0;
  if ((first & 0xf0) !== 0x30 || bytes[head + 1] !== 0xff) return "transport";
  let at = head + 8;
  if ((first & 7) !== 0) {
    at += 4;
    for (let i = 0; (first & 4) !== 0 && bytes[at - 1] !== 0 && i < EXTENSIONS_MAX; i++) {
      at += Math.max(1, bytes[at] ?? 0) * 4;
    }
  }
  const version = (bytes[at] ?? 0) >> 4;
  if (version !== 4 && version !== 6) return "ignored";
  return pass(frame, at, version === 4 ? ETHER_TYPE.ipv4 : ETHER_TYPE.ipv6);
}

/** IPv6, behind what tells of the sender (00 00) and proves who he is (00 01), if anything does. */
function readTeredo(frame: Frame, head: number): Layer {
  const { bytes } = frame;
  let at = head;
  if (u16(bytes, at) === 1) at += 13 + (bytes[at + 2] ?? 0) + (bytes[at + 3] ?? 0);
  if (u16(bytes, at) === 0) at += 8;
  const isIpv6 = (bytes[at] ?? 0) >> 4 === 6 &&
    at + IPV6_BYTES + u16(bytes, at + 4) === frame.wireEnd;
  return isIpv6 ? pass(frame, at, ETHER_TYPE.ipv6) : "transport";
}

function pass(frame: Frame, at: number, etherType: number): Layer {
  if (at > frame.end) return "malformed";
  frame.at = at;
  frame.etherType = etherType;
  return "next";
}
