// SPDX-License-Identifier: Apache-2.0
// The pcapng file format: sections, interfaces, enhanced, simple and obsolete packet blocks.
// Source: draft-ietf-opsawg-pcapng. Of statistics only losses are read; names and secrets are not.

import type { FileWindow } from "../file_window.ts";
import { type Packet, type PacketReader, type ReadResult, UNIT_BYTES_MAX } from "./packet.ts";

const BLOCK = {
  section: 0x0a0d0d0a,
  interface: 1,
  packet: 2,
  simple: 3,
  statistics: 5,
  enhanced: 6,
};
const OPTION = { end: 0, resolution: 9, timeOffset: 14 } as const;
const STATISTICS_OPTION = { interfaceDrop: 5, systemDrop: 7 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

interface Interface {
  readonly linkType: number;
  /** Bytes kept of a packet, 0 for all. */
  readonly snapBytes: number;
  /** A time stamp counts units of multiplierNs / divisor nanoseconds. */
  readonly multiplierNs: bigint;
  readonly divisor: bigint;
  readonly offsetNs: bigint;
}

interface Section {
  littleEndian: boolean;
  /** Interfaces are numbered within their section. */
  interfaces: Interface[];
  /** By interface, the newest totals of the packets that were lost. */
  lost: Map<number, number>;
  /** Of the sections before. */
  lostBefore: number;
}

const INTERFACES_MAX = 65_536;

/** The reader for a file that starts with a section header block, null if this one does not. */
export function openPcapngFile(window: FileWindow): PacketReader | null {
  const start = new DataView(window.bytes.buffer, window.start, 12);
  if (start.getUint32(0) !== BLOCK.section) return null;
  const section: Section = { littleEndian: true, interfaces: [], lost: new Map(), lostBefore: 0 };
  if (!enterSection(section, start)) throw new Error("its byte order mark is damaged");
  return { next: (window, packet) => next(window, packet, section), lost: () => lostIn(section) };
}

function next(window: FileWindow, packet: Packet, section: Section): ReadResult {
  while (window.has(12)) {
    const head = new DataView(window.bytes.buffer, window.start, 12);
    if (head.getUint32(0) === BLOCK.section && !enterSection(section, head)) return "corrupt";
    const type = head.getUint32(0, section.littleEndian);
    const length = head.getUint32(4, section.littleEndian);
    if (length < 12 || length % 4 !== 0 || length > UNIT_BYTES_MAX) return "corrupt";
    if (!window.has(length)) return "more";
    const block = new DataView(window.bytes.buffer, window.start + 8, length - 12);
    window.consume(length);
    if (type === BLOCK.interface) {
      if (!addInterface(section, block)) return "corrupt";
    } else if (type === BLOCK.enhanced || type === BLOCK.packet) {
      return readPacket(section, type === BLOCK.enhanced, block, packet);
    } else if (type === BLOCK.statistics) readStatistics(section, block);
    else if (type === BLOCK.simple) return readSimplePacket(section, block, packet);
  }
  return "more";
}

/** Takes the byte order of a new section and forgets the interfaces of the one before. */
function enterSection(section: Section, head: DataView): boolean {
  const littleEndian = head.getUint32(8, true) === BYTE_ORDER_MAGIC;
  if (!littleEndian && head.getUint32(8) !== BYTE_ORDER_MAGIC) return false;
  section.littleEndian = littleEndian;
  section.interfaces = [];
  section.lostBefore = lostIn(section);
  section.lost.clear();
  return true;
}

function lostIn({ lost, lostBefore }: Section): number {
  return lost.values().reduce((sum, count) => sum + count, lostBefore);
}

/** Calls `option` with the place and length of each option of a block from `start` on. */
function eachOption(
  block: DataView<ArrayBuffer>,
  start: number,
  littleEndian: boolean,
  option: (code: number, at: number, length: number) => void,
): void {
  for (let at = start; at + 4 <= block.byteLength;) {
    const code = block.getUint16(at, littleEndian);
    const length = block.getUint16(at + 2, littleEndian);
    if (code === OPTION.end || at + 4 + length > block.byteLength) break;
    option(code, at + 4, length);
    at += 4 + ((length + 3) & ~3);
  }
}

function readStatistics(section: Section, block: DataView<ArrayBuffer>): void {
  const { littleEndian, interfaces, lost } = section;
  if (block.byteLength < 12) return;
  const on = block.getUint32(0, littleEndian);
  let count = 0;
  eachOption(block, 12, littleEndian, (code, at, length) => {
    const counts = code === STATISTICS_OPTION.interfaceDrop ||
      code === STATISTICS_OPTION.systemDrop;
    if (counts && length === 8) count += Number(block.getBigUint64(at, littleEndian));
  });
  if (on < interfaces.length) lost.set(on, count);
}

function addInterface(section: Section, block: DataView<ArrayBuffer>): boolean {
  if (block.byteLength < 8 || section.interfaces.length >= INTERFACES_MAX) return false;
  const { littleEndian } = section;
  let resolution = 6, offsetNs = 0n;
  eachOption(block, 8, littleEndian, (code, at, length) => {
    if (code === OPTION.resolution && length === 1) resolution = block.getUint8(at);
    if (code === OPTION.timeOffset && length === 8) {
      offsetNs = block.getBigInt64(at, littleEndian) * 1_000_000_000n;
    }
  });
  section.interfaces.push({
    linkType: block.getUint16(0, littleEndian),
    snapBytes: block.getUint32(4, littleEndian),
    ...unitOf(resolution),
    offsetNs,
  });
  return true;
}

/** The high bit selects powers of two instead of ten. */
function unitOf(resolution: number): { multiplierNs: bigint; divisor: bigint } {
  const exponent = resolution & 0x7f;
  if ((resolution & 0x80) !== 0) {
    return { multiplierNs: 1_000_000_000n, divisor: 1n << BigInt(exponent) };
  }
  return exponent <= 9
    ? { multiplierNs: 10n ** BigInt(9 - exponent), divisor: 1n }
    : { multiplierNs: 1n, divisor: 10n ** BigInt(exponent - 9) };
}

function readPacket(
  section: Section,
  enhanced: boolean,
  block: DataView<ArrayBuffer>,
  packet: Packet,
): ReadResult {
  const little = section.littleEndian;
  if (block.byteLength < 20) return "malformed";
  const on = section.interfaces[enhanced ? block.getUint32(0, little) : block.getUint16(0, little)];
  const captured = block.getUint32(12, little);
  if (on === undefined || captured > block.byteLength - 20) return "malformed";
  const units = (BigInt(block.getUint32(4, little)) << 32n) | BigInt(block.getUint32(8, little));
  packet.timeNs = (units * on.multiplierNs) / on.divisor + on.offsetNs;
  place(packet, on, block, 20, captured, block.getUint32(16, little));
  return "packet";
}

/** A simple packet has no time of its own: it keeps that of the packet before it. */
function readSimplePacket(
  section: Section,
  block: DataView<ArrayBuffer>,
  packet: Packet,
): ReadResult {
  const on = section.interfaces[0];
  if (block.byteLength < 4 || on === undefined) return "malformed";
  const wire = block.getUint32(0, section.littleEndian);
  place(packet, on, block, 4, Math.min(wire, on.snapBytes || wire, block.byteLength - 4), wire);
  return "packet";
}

function place(
  packet: Packet,
  on: Interface,
  block: DataView<ArrayBuffer>,
  at: number,
  captured: number,
  wire: number,
): void {
  packet.linkType = on.linkType;
  packet.bytes = new Uint8Array(block.buffer, block.byteOffset + at, captured);
  packet.wireLength = Math.max(wire, captured);
}
