// SPDX-License-Identifier: Apache-2.0
// Tunnels over IP and UDP: the packets inside are what applications said to each other.
// Sources: RFC 2003 (IPIP), 2784 and 2890 (GRE), 7348 (VXLAN), 8926 (Geneve), ERSPAN internet
// draft.

import { ETHER_TYPE, type Frame, type Layer, u16, u32 } from "./frame.ts";
import { IP_PROTOCOL } from "./ip.ts";

/** 8472 is what Linux used for VXLAN before the number was assigned. */
const UDP_PORT = { vxlan: 4789, vxlanOld: 8472, geneve: 6081 } as const;

const GRE = { checksum: 0x8000, key: 0x2000, sequence: 0x1000, version: 0x0007 } as const;

/**
 * Looks at what is at `frame.at` behind an IP header: "next" when a tunnel header was passed,
 * "transport" when this is TCP or UDP of its own, "ignored" for other protocols.
 */
export function readTunnel(frame: Frame): Layer {
  switch (frame.protocol) {
    case IP_PROTOCOL.tcp:
      return "transport";
    case IP_PROTOCOL.udp:
      return readUdpTunnel(frame);
    case IP_PROTOCOL.ipip:
      frame.etherType = ETHER_TYPE.ipv4;
      return "next";
    case IP_PROTOCOL.ipv6:
      frame.etherType = ETHER_TYPE.ipv6;
      return "next";
    case IP_PROTOCOL.gre:
      return readGre(frame);
    default:
      return "ignored";
  }
}

function readGre(frame: Frame): Layer {
  const { bytes, at } = frame;
  const flags = u16(bytes, at);
  if (at + 4 > frame.end) return "malformed";
  if ((flags & GRE.version) !== 0) return "ignored";
  const sequenced = (flags & GRE.sequence) !== 0;
  let length = 4;
  if ((flags & GRE.checksum) !== 0) length += 4;
  if ((flags & GRE.key) !== 0) length += 4;
  if (sequenced) length += 4;
  const type = u16(bytes, at + 2);
  if (type === ETHER_TYPE.erspan2) {
    // Version 1 has no header of its own, and no sequence number by which it is known.
    return pass(frame, length + (sequenced ? 8 : 0), ETHER_TYPE.ethernet);
  }
  if (type === ETHER_TYPE.erspan3) {
    const subheader = ((bytes[at + length + 11] ?? 0) & 1) !== 0 ? 8 : 0;
    return pass(frame, length + 12 + subheader, ETHER_TYPE.ethernet);
  }
  return pass(frame, length, type);
}

/** A datagram to a tunnel's port that does not look like that tunnel is a datagram like others. */
function readUdpTunnel(frame: Frame): Layer {
  const { bytes, at } = frame;
  const port = u16(bytes, at + 2);
  const head = at + 8;
  if (port === UDP_PORT.vxlan || port === UDP_PORT.vxlanOld) {
    const valid = bytes[head] === 0x08 && (u32(bytes, head) & 0xffffff) === 0;
    return valid ? pass(frame, 16, ETHER_TYPE.ethernet) : "transport";
  }
  if (port === UDP_PORT.geneve && (bytes[head] ?? 0) >> 6 === 0) {
    const type = u16(bytes, head + 2);
    const known = type === ETHER_TYPE.ethernet || type === ETHER_TYPE.ipv4 ||
      type === ETHER_TYPE.ipv6;
    if (known) return pass(frame, 16 + ((bytes[head] ?? 0) & 0x3f) * 4, type);
  }
  return "transport";
}

function pass(frame: Frame, headerBytes: number, etherType: number): Layer {
  if (frame.at + headerBytes > frame.end) return "malformed";
  frame.at += headerBytes;
  frame.etherType = etherType;
  return "next";
}
