// SPDX-License-Identifier: Apache-2.0
// One packet of a capture file, and what reads such packets.

import type { Nanos } from "../../../model/time.ts";
import type { FileWindow } from "../file_window.ts";

/** One object is reused for all packets of a file; `bytes` is borrowed until the next fill. */
export interface Packet {
  /** Unix time. */
  timeNs: Nanos;
  /** LINKTYPE_* number of the interface. */
  linkType: number;
  /** What was captured, from the link layer header on. */
  bytes: Uint8Array;
  /** Bytes on the wire; more than were captured when the capture cut packets short. */
  wireLength: number;
}

/**
 * "packet": `packet` was filled in. "more": the window holds no whole unit. "malformed": one packet
 * was passed over. "corrupt": lengths make no sense, nothing after this place can be read.
 */
export type ReadResult = "packet" | "more" | "malformed" | "corrupt";

export interface PacketReader {
  next(window: FileWindow, packet: Packet): ReadResult;
  /** Packets that were lost when the file was made, as far as it says so. */
  lost(): number;
}

/** Longest packet or pcapng block believed: jumbo frames after segmentation offload are 256 KiB. */
export const UNIT_BYTES_MAX = 16 << 20;

export function emptyPacket(): Packet {
  return { timeNs: 0n, linkType: 0, bytes: new Uint8Array(), wireLength: 0 };
}
