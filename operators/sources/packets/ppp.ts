// SPDX-License-Identifier: Apache-2.0
// PPP, as a link layer of its own, over GRE (PPTP), and behind PPPoE. Sources: RFC 1661, RFC 1662.

import { ETHER_TYPE, type Frame, type Layer, u16 } from "./frame.ts";

const PPP = { ipv4: 0x21, ipv6: 0x57 } as const;

/** Passes the address where there is one, and the protocol, which may be one byte. */
export function readPpp(frame: Frame): Layer {
  const { bytes } = frame;
  let at = frame.at;
  if (u16(bytes, at) === 0xff03) at += 2;
  // The last byte of a protocol is odd, the others are even.
  const short = ((bytes[at] ?? 0) & 1) !== 0;
  const protocol = short ? bytes[at] ?? 0 : u16(bytes, at);
  at += short ? 1 : 2;
  if (at > frame.end) return "malformed";
  if (protocol !== PPP.ipv4 && protocol !== PPP.ipv6) return "ignored";
  frame.at = at;
  frame.etherType = protocol === PPP.ipv4 ? ETHER_TYPE.ipv4 : ETHER_TYPE.ipv6;
  return "next";
}
