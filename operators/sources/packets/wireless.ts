// SPDX-License-Identifier: Apache-2.0
// IEEE 802.11 data frames, and the headers that capture programs put in front of them. Of frames
// that are encrypted nothing can be read. Sources: IEEE 802.11-2020, radiotap.org.

import { type Frame, type Layer, u32 } from "./frame.ts";
import { readLlc } from "./llc.ts";

/** Behind a radiotap header: its length, and whether the frame's header is padded. */
export function readRadiotap(frame: Frame): Layer {
  const { bytes, at } = frame;
  const length = littleEndian16(bytes, at + 2);
  if (bytes[at] !== 0 || length < 8 || at + length > frame.end) return "malformed";
  const padded = (radiotapFlags(bytes, at) & 0x20) !== 0;
  frame.at += length;
  return readWireless(frame, padded);
}

/** Present words, of which the last has no high bit; then a time if told, then the flags. */
function radiotapFlags(bytes: Uint8Array, start: number): number {
  const present = bytes[start + 4] ?? 0;
  if ((present & 2) === 0) return 0;
  let at = start + 4;
  while (((bytes[at + 3] ?? 0) & 0x80) !== 0) at += 4;
  at += 4;
  if ((present & 1) !== 0) at = start + ((at - start + 7) & ~7) + 8;
  return bytes[at] ?? 0;
}

/** Behind a Prism or AVS header, which begin with a magic number and their length. */
export function readPrism(frame: Frame): Layer {
  const { bytes, at } = frame;
  const avs = (u32(bytes, at) & 0xfffff000) >>> 0 === 0x80211000;
  const length = avs ? u32(bytes, at + 4) : littleEndian16(bytes, at + 4);
  if (length < 8 || at + length > frame.end) return "malformed";
  frame.at += length;
  return readWireless(frame, false);
}

/** Passes the MAC header of a data frame. `padded`: to a multiple of four bytes. */
export function readWireless(frame: Frame, padded: boolean): Layer {
  const { bytes, at } = frame;
  const control = bytes[at] ?? 0, flags = bytes[at + 1] ?? 0;
  const subtype = control >> 4;
  const isData = (control & 0x0f) === 0x08 && (subtype & 4) === 0;
  const isEncrypted = (flags & 0x40) !== 0;
  if (!isData || isEncrypted) return "ignored";
  const quality = (subtype & 8) !== 0;
  let length = (flags & 3) === 3 ? 30 : 24;
  const together = quality && ((bytes[at + length] ?? 0) & 0x80) !== 0;
  if (quality) length += (flags & 0x80) !== 0 ? 6 : 2;
  if (padded) length = (length + 3) & ~3;
  // Of several packets in one frame the first is read; each has two addresses and a length.
  if (together) length += 14;
  if (at + length > frame.end) return "malformed";
  frame.at += length;
  return readLlc(frame);
}

const littleEndian16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
