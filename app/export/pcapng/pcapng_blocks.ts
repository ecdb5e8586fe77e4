// SPDX-License-Identifier: Apache-2.0
// Blocks of a pcapng file, little endian. Source: draft-ietf-opsawg-pcapng.

type Bytes = Uint8Array<ArrayBuffer>;

/** LINKTYPE_RAW: packets begin with their IP header. */
const LINK_TYPE_RAW = 101;
const NANOSECONDS = 9;

const BLOCK = { section: 0x0a0d0d0a, interface: 1, names: 4, statistics: 5, packet: 6 } as const;
const OPTION = { end: 0, comment: 1 } as const;
const SECTION_OPTION = { hardware: 2, system: 3, application: 4 } as const;
const INTERFACE_OPTION = { name: 2, description: 3, resolution: 9 } as const;
const PACKET_OPTION = { flags: 2 } as const;
const STATISTICS_OPTION = { systemDrop: 7 } as const;
const NAME_RECORD = { end: 0, ipv4: 1 } as const;
const FLAGS = { inbound: 1, outbound: 2 } as const;

export interface Section {
  readonly hardware: string;
  readonly system: string;
  readonly application: string;
  readonly comment: string;
}

export function sectionBlock(section: Section): Bytes {
  return blockOf(BLOCK.section, [u32s(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)], [
    option(OPTION.comment, section.comment),
    option(SECTION_OPTION.hardware, section.hardware),
    option(SECTION_OPTION.system, section.system),
    option(SECTION_OPTION.application, section.application),
  ]);
}

/** Interfaces are numbered from 0 in the order of their blocks. */
export function interfaceBlock(name: string, description: string): Bytes {
  return blockOf(BLOCK.interface, [u32s(LINK_TYPE_RAW, 0)], [
    option(INTERFACE_OPTION.name, name),
    option(INTERFACE_OPTION.description, description),
    option(INTERFACE_OPTION.resolution, Uint8Array.of(NANOSECONDS)),
  ]);
}

export interface PacketParts {
  readonly interfaceId: number;
  /** Unix time. */
  readonly timeNs: bigint;
  readonly bytes: Uint8Array;
  readonly wireBytes: number;
  readonly inbound: boolean;
  readonly comment: string;
}

/** Most of a file is of these: written in place, without parts. */
export function packetBlock(packet: PacketParts): Bytes {
  const { bytes: captured, timeNs } = packet;
  const { written: comment } = encoder.encodeInto(packet.comment, commentBytes);
  const optionsAt = 28 + padded(captured.length);
  const flagsAt = optionsAt + (comment === 0 ? 0 : 4 + padded(comment));
  const length = flagsAt + 8 + 4 + 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, BLOCK.packet, true);
  view.setUint32(4, length, true);
  view.setUint32(8, packet.interfaceId, true);
  view.setUint32(12, Number(timeNs >> 32n), true);
  view.setUint32(16, Number(timeNs & 0xffffffffn), true);
  view.setUint32(20, captured.length, true);
  view.setUint32(24, packet.wireBytes, true);
  bytes.set(captured, 28);
  if (comment > 0) {
    view.setUint32(optionsAt, OPTION.comment | (comment << 16), true);
    bytes.set(commentBytes.subarray(0, comment), optionsAt + 4);
  }
  view.setUint32(flagsAt, PACKET_OPTION.flags | (4 << 16), true);
  view.setUint32(flagsAt + 4, packet.inbound ? FLAGS.inbound : FLAGS.outbound, true);
  view.setUint32(length - 4, length, true);
  return bytes;
}

const encoder = new TextEncoder();
/** Longer comments are cut. */
const commentBytes = new Uint8Array(1_024);

/** A name that Wireshark shows in place of an IPv4 address. */
export function nameBlock(ipv4: Uint8Array, name: string): Bytes {
  const text = encoder.encode(`${name}\0`);
  const record = new Uint8Array(4 + ipv4.length + text.length);
  new DataView(record.buffer).setUint32(0, NAME_RECORD.ipv4 | ((record.length - 4) << 16), true);
  record.set(ipv4, 4);
  record.set(text, 4 + ipv4.length);
  return blockOf(BLOCK.names, [record, u32s(NAME_RECORD.end)], []);
}

/** Events that never became packets, told of the first interface. */
export function lossBlock(timeNs: bigint, lost: number): Bytes {
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(lost), true);
  const time = u32s(0, Number(timeNs >> 32n), Number(timeNs & 0xffffffffn));
  return blockOf(BLOCK.statistics, [time], [option(STATISTICS_OPTION.systemDrop, count)]);
}

/** Type, length, parts padded to 32 bits each, options, length. */
function blockOf(type: number, parts: readonly Uint8Array[], options: readonly Bytes[]): Bytes {
  const written = options.filter((each) => each.length > 0);
  const ends = written.length === 0 ? [] : [u32s(OPTION.end)];
  const all = [...parts, ...written, ...ends];
  const length = all.reduce((sum, part) => sum + padded(part.length), 12);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  let at = 8;
  for (const part of all) {
    bytes.set(part, at);
    at += padded(part.length);
  }
  view.setUint32(at, length, true);
  return bytes;
}

const OPTION_BYTES_MAX = 65_532;

/** Nothing when the value is empty. */
function option(code: number, value: string | Uint8Array): Bytes {
  const whole = typeof value === "string" ? encoder.encode(value) : value;
  const kept = whole.subarray(0, OPTION_BYTES_MAX);
  if (kept.length === 0) return new Uint8Array();
  const bytes = new Uint8Array(4 + kept.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, kept.length, true);
  bytes.set(kept, 4);
  return bytes;
}

const padded = (length: number) => (length + 3) & ~3;

function u32s(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value >>> 0, true));
  return bytes;
}
