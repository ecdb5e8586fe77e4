// SPDX-License-Identifier: Apache-2.0
// LLC with SNAP: how IEEE 802 networks other than Ethernet name what they carry. Source: RFC 1042.

import { type Frame, type Layer, u16, u32 } from "./frame.ts";

const SNAP_BYTES = 8;

/** aa aa 03, three bytes of an organisation, EtherType. */
export function readLlc(frame: Frame): Layer {
  const { bytes, at } = frame;
  if (at + SNAP_BYTES > frame.end) return "malformed";
  if (u32(bytes, at) >>> 8 !== 0xaaaa03) return "ignored";
  frame.at += SNAP_BYTES;
  frame.etherType = u16(bytes, at + 6);
  return "next";
}
