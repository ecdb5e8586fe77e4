// SPDX-License-Identifier: Apache-2.0
// The classic pcap file format, in all its byte orders and resolutions.
// Source: draft-ietf-opsawg-pcap; the modified form with longer packet headers is Kuznetzov's.

import type { FileWindow } from "../file_window.ts";
import type { Nanos } from "../../../model/time.ts";
import { isKnownLinkType } from "./link_layer.ts";
import { type Packet, type PacketReader, type ReadResult, UNIT_BYTES_MAX } from "./packet.ts";

interface Format {
  readonly littleEndian: boolean;
  /** Nanoseconds in one unit of the second half of a time stamp. */
  readonly fractionNs: number;
  readonly packetHeaderBytes: number;
}

const FILE_HEADER_BYTES = 24;

/** The reader for a file whose magic number says classic pcap, null if it says something else. */
export function openPcapFile(window: FileWindow): PacketReader | null {
  const view = new DataView(window.bytes.buffer, window.start, FILE_HEADER_BYTES);
  const format = formatOf(view.getUint32(0));
  if (format === null) return null;
  const major = view.getUint16(4, format.littleEndian);
  if (major !== 2) throw new Error(`version ${major} of the pcap format is not known`);
  // The upper half holds lengths of frame check sequences, which follow the packet: ignored.
  const linkType = view.getUint32(20, format.littleEndian) & 0xffff;
  if (!isKnownLinkType(linkType)) {
    throw new Error(
      `its link layer (LINKTYPE ${linkType}) is not read; capture on a network device`,
    );
  }
  window.consume(FILE_HEADER_BYTES);
  return { next: (window, packet) => next(window, packet, format, linkType), lost: () => 0 };
}

function formatOf(magic: number): Format | null {
  switch (magic) {
    case 0xa1b2c3d4:
      return { littleEndian: false, fractionNs: 1000, packetHeaderBytes: 16 };
    case 0xd4c3b2a1:
      return { littleEndian: true, fractionNs: 1000, packetHeaderBytes: 16 };
    case 0xa1b23c4d:
      return { littleEndian: false, fractionNs: 1, packetHeaderBytes: 16 };
    case 0x4d3cb2a1:
      return { littleEndian: true, fractionNs: 1, packetHeaderBytes: 16 };
    case 0xa1b2cd34:
      return { littleEndian: false, fractionNs: 1000, packetHeaderBytes: 24 };
    case 0x34cdb2a1:
      return { littleEndian: true, fractionNs: 1000, packetHeaderBytes: 24 };
    default:
      return null;
  }
}

function next(window: FileWindow, packet: Packet, format: Format, linkType: number): ReadResult {
  const { littleEndian, packetHeaderBytes } = format;
  if (!window.has(packetHeaderBytes)) return "more";
  const { view, start } = window;
  const captured = view.getUint32(start + 8, littleEndian);
  if (captured > UNIT_BYTES_MAX) return "corrupt";
  if (!window.has(packetHeaderBytes + captured)) return "more";
  packet.timeNs = timeNs(
    view.getUint32(start, littleEndian),
    view.getUint32(start + 4, littleEndian) * format.fractionNs,
  );
  packet.linkType = linkType;
  packet.wireLength = Math.max(captured, view.getUint32(start + 12, littleEndian));
  const at = start + packetHeaderBytes;
  packet.bytes = window.bytes.subarray(at, at + captured);
  window.consume(packetHeaderBytes + captured);
  return "packet";
}

const timeNs = (seconds: number, ns: number): Nanos =>
  BigInt(seconds) * 1_000_000_000n + BigInt(ns);
