// SPDX-License-Identifier: Apache-2.0
// Link layers of capture files, and the tags and labels between them and IP.
// Source: the LINKTYPE_ registry of tcpdump.org.

import { ETHER_TYPE, type Frame, type Layer, u16, u32 } from "./frame.ts";
import { readLlc } from "./llc.ts";
import { readPpp } from "./ppp.ts";
import { readPrism, readRadiotap, readWireless } from "./wireless.ts";

/** LINKTYPE_* numbers that can be read; 12 and 14 are what some systems write for RAW. */
const LINK_TYPE = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  rawDlt: 12,
  rawDltOpenbsd: 14,
  pppHdlc: 50,
  raw: 101,
  ciscoHdlc: 104,
  wireless: 105,
  frameRelay: 107,
  loop: 108,
  cooked: 113,
  prism: 119,
  radiotap: 127,
  avs: 163,
  ipv4: 228,
  ipv6: 229,
  netfilterLog: 239,
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
    case LINK_TYPE.ppp:
    case LINK_TYPE.pppHdlc:
    case LINK_TYPE.ciscoHdlc:
      return isPpp(frame, linkType)
        ? readPpp(frame)
        : pass(frame, 4, u16(frame.bytes, frame.at + 2));
    case LINK_TYPE.wireless:
      return readWireless(frame, false);
    case LINK_TYPE.radiotap:
      return readRadiotap(frame);
    case LINK_TYPE.prism:
    case LINK_TYPE.avs:
      return readPrism(frame);
    case LINK_TYPE.frameRelay:
      return readFrameRelay(frame);
    case LINK_TYPE.netfilterLog:
      return readNetfilterLog(frame);
    default:
      return "unsupported";
  }
}

export function readEthernet(frame: Frame): Layer {
  const type = u16(frame.bytes, frame.at + 12);
  if (type > ETHERNET_LENGTH_MAX) return pass(frame, 14, type);
  // It is a length: LLC follows.
  const layer = pass(frame, 14, 0);
  return layer === "next" ? readLlc(frame) : layer;
}

/** What HDLC frames of PPP begin with; those of Cisco begin with 0f or 8f. */
const isPpp = ({ bytes, at }: Frame, linkType: number): boolean =>
  linkType === LINK_TYPE.ppp ? bytes[at] !== 0x0f && bytes[at] !== 0x8f : bytes[at] === 0xff;

/** Two to four bytes of address, the last of which is odd, then 03 and what follows. */
function readFrameRelay(frame: Frame): Layer {
  const { bytes } = frame;
  let at = frame.at;
  while (at < frame.at + 4 && ((bytes[at] ?? 1) & 1) === 0) at++;
  at++;
  if (bytes[at] !== 0x03) return pass(frame, at + 2 - frame.at, u16(bytes, at));
  // Padding, where the identifier shall lie at an even place.
  const id = at + (bytes[at + 1] === 0 ? 2 : 1);
  if (bytes[id] === 0xcc) return pass(frame, id + 1 - frame.at, ETHER_TYPE.ipv4);
  if (bytes[id] === 0x8e) return pass(frame, id + 1 - frame.at, ETHER_TYPE.ipv6);
  // SNAP: three bytes of an organisation, EtherType.
  return bytes[id] === 0x80 ? pass(frame, id + 6 - frame.at, u16(bytes, id + 4)) : "ignored";
}

/** Family, version, resource; then records of length, type and value in the host's byte order. */
function readNetfilterLog(frame: Frame): Layer {
  const { bytes } = frame;
  for (let at = frame.at + 4, i = 0; at + 4 <= frame.end && i < LOG_RECORDS_MAX; i++) {
    const length = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    const type = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
    if (length < 4) return "malformed";
    if ((type & 0x7fff) === LOG_PAYLOAD) return readIpByVersion(frame, at + 4 - frame.at);
    at += (length + 3) & ~3;
  }
  return "ignored";
}

const ETHERNET_LENGTH_MAX = 1500;
const LOG_PAYLOAD = 9;
const LOG_RECORDS_MAX = 64;

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
      const layer = pass(frame, 6, 0);
      return layer === "next" ? readPpp(frame) : layer;
    }
    case ETHER_TYPE.vnTag:
      return pass(frame, 6, u16(bytes, at + 4));
    case ETHER_TYPE.ppp:
      return readPpp(frame);
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
