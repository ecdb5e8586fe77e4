// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 headers, with IPv6 extension headers. Sources: RFC 791, RFC 8200.

import { ETHER_TYPE, type Frame, type Layer, u16, u32 } from "./frame.ts";
import type { Fragments } from "./fragments.ts";

export const IP_PROTOCOL = { ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, etherIp: 97 } as const;

const EXTENSION = { hopByHop: 0, routing: 43, fragment: 44, authentication: 51, options: 60 };

/** Extension headers in one packet believed. */
const EXTENSIONS_MAX = 16;

/** Passes the IP header at `frame.at`; what follows is `frame.protocol`. */
export function readIp(frame: Frame, fragments: Fragments): Layer {
  return frame.etherType === ETHER_TYPE.ipv4
    ? readIpv4(frame, fragments)
    : readIpv6(frame, fragments);
}

function readIpv4(frame: Frame, fragments: Fragments): Layer {
  const { bytes, at } = frame;
  if (at + 20 > frame.end) return "malformed";
  const headerBytes = ((bytes[at] ?? 0) & 0x0f) * 4;
  if ((bytes[at] ?? 0) >> 4 !== 4 || headerBytes < 20) return "malformed";
  if (!trim(frame, at + headerBytes, u16(bytes, at + 2) - headerBytes)) return "malformed";
  frame.family = 4;
  frame.sourceAt = at + 12;
  frame.destinationAt = at + 16;
  frame.protocol = bytes[at + 9] ?? 0;
  const fragment = u16(bytes, at + 6);
  const offset = (fragment & 0x1fff) * 8;
  const more = (fragment & 0x2000) !== 0;
  if (offset === 0 && !more) return "transport";
  return fragments.add(frame, u16(bytes, at + 4), offset, more);
}

function readIpv6(frame: Frame, fragments: Fragments): Layer {
  const { bytes, at } = frame;
  if (at + 40 > frame.end || (bytes[at] ?? 0) >> 4 !== 6) return "malformed";
  if (!trim(frame, at + 40, u16(bytes, at + 4))) return "malformed";
  frame.family = 6;
  frame.sourceAt = at + 8;
  frame.destinationAt = at + 24;
  frame.protocol = bytes[at + 6] ?? 0;
  for (let i = 0; i < EXTENSIONS_MAX; i++) {
    const unit = extensionUnit(frame.protocol);
    if (unit === 0) return "transport";
    const head = frame.at;
    const fragment = frame.protocol === EXTENSION.fragment;
    const words = frame.protocol === EXTENSION.authentication ? 2 : 1;
    const length = fragment ? 8 : ((bytes[head + 1] ?? 0) + words) * unit;
    if (head + length > frame.end) return "malformed";
    frame.protocol = bytes[head] ?? 0;
    frame.at = head + length;
    if (!fragment) continue;
    const offset = u16(bytes, head + 2) & 0xfff8;
    const more = ((bytes[head + 3] ?? 0) & 1) !== 0;
    if (offset === 0 && !more) continue;
    return fragments.add(frame, u32(bytes, head + 4), offset, more);
  }
  return "malformed";
}

/** Bytes in which the length of an extension header counts, 0 for what is none. */
function extensionUnit(protocol: number): number {
  switch (protocol) {
    case EXTENSION.hopByHop:
    case EXTENSION.routing:
    case EXTENSION.fragment:
    case EXTENSION.options:
      return 8;
    case EXTENSION.authentication:
      return 4;
    default:
      return 0;
  }
}

/**
 * Cuts the frame to the length that the IP header gives: Ethernet pads short frames. A length of
 * zero or less is left by segmentation offload: then the packet is as long as the frame.
 */
function trim(frame: Frame, payloadAt: number, payloadBytes: number): boolean {
  if (payloadAt > frame.end) return false;
  frame.at = payloadAt;
  if (payloadBytes > 0) {
    frame.wireEnd = Math.min(frame.wireEnd, payloadAt + payloadBytes);
    frame.end = Math.min(frame.end, frame.wireEnd);
  }
  return true;
}
