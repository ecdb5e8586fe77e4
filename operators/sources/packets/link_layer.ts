// SPDX-License-Identifier: Apache-2.0
// Link layers of capture files, and the tags and labels between them and IP.
// Source: the LINKTYPE_ registry of tcpdump.org.

import { ETHER_TYPE, type Frame, type Layer, u16, u32 } from "./frame.ts";

/** LINKTYPE_* numbers that can be read; 12 and 14 are what some systems write for RAW. */
const LINK_TYPE = {
  null: 0,
  ethernet: 1,
  rawDlt: 12,
  rawDltOpenbsd: 14,
  raw: 101,
  loop: 108,
  cooked: 113,
  ipv4: 228,
  ipv6: 229,
  cooked2: 276,
} as const;

const KNOWN: ReadonlySet<number> = new Set(Object.values(LINK_TYPE));

export const isKnownLinkType = (linkType: number): boolean => KNOWN.has(linkType);

/** Passes the link layer header at `frame.at` and sets the EtherType of what follows. */
export function readLinkLayer(frame: Frame, linkType: number): Layer {
  switch (linkType) {
    case LINK_TYPE.ethernet:
      return readEthernet(frame);
    case LINK_TYPE.cooked:
      return pass(frame, 16, u16(frame.bytes, frame.at + 14));
    case LINK_TYPE.cooked2:
      return pass(frame, 20, u16(frame.bytes, frame.at));
    case LINK_TYPE.null:
    case LINK_TYPE.loop:
    case LINK_TYPE.raw:
    case LINK_TYPE.rawDlt:
    case LINK_TYPE.rawDltOpenbsd:
    case LINK_TYPE.ipv4:
    case LINK_TYPE.ipv6: {
      // The family number of the loopback types differs between systems: the IP version tells.
      const loopback = linkType === LINK_TYPE.null || linkType === LINK_TYPE.loop;
      return readIpByVersion(frame, loopback ? 4 : 0);
    }
    default:
      return "unsupported";
  }
}

export function readEthernet(frame: Frame): Layer {
  return pass(frame, 14, u16(frame.bytes, frame.at + 12));
}

/** Passes VLAN tags, MPLS labels or a PPPoE header; "ignored" for what is no IP packet. */
export function readTag(frame: Frame): Layer {
  const { bytes, at } = frame;
  switch (frame.etherType) {
    case ETHER_TYPE.vlan:
    case ETHER_TYPE.serviceVlan:
    case ETHER_TYPE.oldServiceVlan:
      return pass(frame, 4, u16(bytes, at + 2));
    case ETHER_TYPE.mpls:
    case ETHER_TYPE.mplsMulticast: {
      const lastLabel = (u32(bytes, at) & 0x100) !== 0;
      return lastLabel ? readIpByVersion(frame, 4) : pass(frame, 4, frame.etherType);
    }
    case ETHER_TYPE.pppoe: {
      const protocol = u16(bytes, at + 6);
      if (protocol === 0x0021) return pass(frame, 8, ETHER_TYPE.ipv4);
      return protocol === 0x0057 ? pass(frame, 8, ETHER_TYPE.ipv6) : "ignored";
    }
    case ETHER_TYPE.ethernet:
      return readEthernet(frame);
    default:
      return "ignored";
  }
}

/** Passes `headerBytes`, after which an IP header comes without a type before it. */
function readIpByVersion(frame: Frame, headerBytes: number): Layer {
  const version = (frame.bytes[frame.at + headerBytes] ?? 0) >> 4;
  if (version === 4) return pass(frame, headerBytes, ETHER_TYPE.ipv4);
  return version === 6 ? pass(frame, headerBytes, ETHER_TYPE.ipv6) : "ignored";
}

function pass(frame: Frame, headerBytes: number, etherType: number): Layer {
  if (frame.at + headerBytes > frame.end) return "malformed";
  frame.at += headerBytes;
  frame.etherType = etherType;
  return "next";
}
