// SPDX-License-Identifier: Apache-2.0
// How far a packet has been unwrapped. One object is reused for all packets.

export interface Frame {
  bytes: Uint8Array;
  /** Next byte to read. */
  at: number;
  /** End of what was captured. */
  end: number;
  /** End of what was on the wire: beyond `end` when the capture cut the packet short. */
  wireEnd: number;
  /** EtherType of what is at `at`. */
  etherType: number;
  /** Of the innermost IP header read so far: 4 or 6, 0 before the first. */
  family: 0 | 4 | 6;
  sourceAt: number;
  destinationAt: number;
  /** IPPROTO_* of what is at `at` once an IP header has been read. */
  protocol: number;
}

/**
 * What a layer says. "next": it was passed, go on with etherType. "transport": `at` is at a
 * transport header. "ignored": nothing that carries TCP or UDP, or a fragment that waits for the
 * others. "malformed": the header is damaged or was not captured. "unsupported": not known here.
 */
export type Layer = "next" | "transport" | "ignored" | "malformed" | "unsupported";

export const ETHER_TYPE = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  serviceVlan: 0x88a8,
  oldServiceVlan: 0x9100,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoe: 0x8864,
  ppp: 0x880b,
  /** A tag that adapters for virtual machines add. */
  vnTag: 0x8926,
  /** Transparent Ethernet bridging: an Ethernet frame follows. */
  ethernet: 0x6558,
  erspan2: 0x88be,
  erspan3: 0x22eb,
} as const;

export function emptyFrame(): Frame {
  return {
    bytes: new Uint8Array(),
    at: 0,
    end: 0,
    wireEnd: 0,
    etherType: 0,
    family: 0,
    sourceAt: 0,
    destinationAt: 0,
    protocol: 0,
  };
}

/** Big-endian u16; 0 past the end of the array, so callers check lengths first. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Big-endian u32. */
export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x10000 + u16(bytes, at + 2);
}
