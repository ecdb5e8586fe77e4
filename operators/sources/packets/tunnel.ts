// SPDX-License-Identifier: Apache-2.0
// Tunnels over IP: the packets inside are what applications said to each other.
// Sources: RFC 2003 (IPIP), 2784 and 2890 (GRE), 2637 (PPTP), 3378 (EtherIP), ERSPAN draft.

import { ETHER_TYPE, type Frame, type Layer, u16 } from "./frame.ts";
import { IP_PROTOCOL } from "./ip.ts";
import { readPpp } from "./ppp.ts";
import { readUdpTunnel } from "./udp_tunnel.ts";
import { readWireless } from "./wireless.ts";

const GRE = {
  checksum: 0x8000,
  key: 0x2000,
  sequence: 0x1000,
  /** Version 1 only. */
  acknowledged: 0x0080,
  version: 0x0007,
} as const;

/**
 * Looks at what is at `frame.at` behind an IP header: "next" when a tunnel header was passed,
 * "transport" when this is TCP or UDP of its own, "ignored" for other protocols.
 */
export function readTunnel(frame: Frame): Layer {
  switch (frame.protocol) {
    case IP_PROTOCOL.tcp:
      return "transport";
    case IP_PROTOCOL.udp:
      return readUdpTunnel(frame, readGre);
    case IP_PROTOCOL.ipip:
      frame.etherType = ETHER_TYPE.ipv4;
      return "next";
    case IP_PROTOCOL.ipv6:
      frame.etherType = ETHER_TYPE.ipv6;
      return "next";
    case IP_PROTOCOL.gre:
      return readGre(frame);
    case IP_PROTOCOL.etherIp:
      return pass(frame, 2, ETHER_TYPE.ethernet);
    default:
      return "ignored";
  }
}

function readGre(frame: Frame): Layer {
  const { bytes, at } = frame;
  const flags = u16(bytes, at);
  if (at + 4 > frame.end) return "malformed";
  const type = u16(bytes, at + 2);
  if ((flags & GRE.version) === 1) {
    const sent = (flags & GRE.sequence) !== 0 ? 4 : 0;
    const acknowledged = (flags & GRE.acknowledged) !== 0 ? 4 : 0;
    return readPppIn(frame, 8 + sent + acknowledged);
  }
  if ((flags & GRE.version) !== 0) return "ignored";
  const sequenced = (flags & GRE.sequence) !== 0;
  let length = 4;
  if ((flags & GRE.checksum) !== 0) length += 4;
  if ((flags & GRE.key) !== 0) length += 4;
  if (sequenced) length += 4;
  if (type === ETHER_TYPE.erspan2) {
    // Version 1 has no header of its own, and no sequence number by which it is known.
    return pass(frame, length + (sequenced ? 8 : 0), ETHER_TYPE.ethernet);
  }
  if (type === ETHER_TYPE.erspan3) {
    const subheader = ((bytes[at + length + 11] ?? 0) & 1) !== 0 ? 8 : 0;
    return pass(frame, length + 12 + subheader, ETHER_TYPE.ethernet);
  }
  if (type === ETHER_TYPE.ppp) return readPppIn(frame, length);
  if ((type >= WIRELESS.first && type <= WIRELESS.last) || type === WIRELESS.other) {
    if (at + length > frame.end) return "malformed";
    frame.at += length;
    return readWireless(frame, false);
  }
  return pass(frame, length, type);
}

/** Access points of Aruba send the frames of their stations over GRE. */
const WIRELESS = { first: 0x8200, last: 0x8210, other: 0x9000 } as const;

function readPppIn(frame: Frame, headerBytes: number): Layer {
  if (frame.at + headerBytes > frame.end) return "malformed";
  frame.at += headerBytes;
  return readPpp(frame);
}

function pass(frame: Frame, headerBytes: number, etherType: number): Layer {
  if (frame.at + headerBytes > frame.end) return "malformed";
  frame.at += headerBytes;
  frame.etherType = etherType;
  return "next";
}
