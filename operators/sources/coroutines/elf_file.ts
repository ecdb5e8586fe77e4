// SPDX-License-Identifier: Apache-2.0
// The parts of an ELF program that are needed to find things in it: sections, segments, symbols.
//
// 64 bit, little endian; see the System V ABI, chapter "Object Files". Nothing here throws on bytes
// that make no sense: what is not there is not found.

/** Random access to a file; shorter than asked where it ends. */
export interface ByteSource {
  read(at: number, bytes: number): Uint8Array;
}

export interface Section {
  readonly name: string;
  readonly address: number;
  readonly at: number;
  readonly bytes: number;
  /** Index of the section with the names of its symbols. */
  readonly link: number;
  readonly type: number;
}

export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly at: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly align: number;
}

export interface ElfFile {
  /** x86-64, as all else here takes for granted. */
  readonly isAmd64: boolean;
  /** Loaded at an address that is known only when it runs. */
  readonly isMovable: boolean;
  readonly sections: readonly Section[];
  readonly segments: readonly Segment[];
  section(name: string): Section | undefined;
  /** Bytes of a section, at most `bytesMax`. */
  bytesOf(section: Section, bytesMax: number): Uint8Array;
  /** Bytes as they lie in memory, out of the file. */
  readMemory(address: number, bytes: number): Uint8Array;
  /** Where the byte of an address stands in the file; -1 where it stands nowhere. */
  fileOffset(address: number): number;
  /** Value of a symbol; null without a symbol table, or without the symbol. */
  symbol(name: string): number | null;
  /** Name of a symbol, by the index of its table among the sections and by its own; "" if none. */
  symbolName(table: number, index: number): string;
}

export const SEGMENT = { load: 1, tls: 7 } as const;
const SYMBOL_TABLE = 2;
/** What the program offers to others, and wants of them; stays when it is stripped. */
const DYNAMIC_SYMBOLS = 11;
const MOVABLE = 3;
const AMD64 = 62;
const HEADER_BYTES = 64;
const TABLE_BYTES_MAX = 1 << 20;
const SYMBOLS_BYTES_MAX = 64 << 20;
const NAME_BYTES_MAX = 256;

/** Null when the file is no 64-bit ELF program. */
export function readElf(source: ByteSource): ElfFile | null {
  const header = source.read(0, HEADER_BYTES);
  const isElf = header.length === HEADER_BYTES && header[0] === 0x7f && header[1] === 0x45 &&
    header[2] === 0x4c && header[3] === 0x46 && header[4] === 2 && header[5] === 1;
  if (!isElf) return null;
  const view = viewOf(header);
  const segments = readSegments(source, view);
  const sections = readSections(source, view);
  const fileOffset = (address: number) => {
    const segment = segments.find((each) =>
      each.type === SEGMENT.load && address >= each.address &&
      address < each.address + each.fileBytes
    );
    return segment === undefined ? -1 : address - segment.address + segment.at;
  };
  const bytesOf = ({ at, bytes }: Section, bytesMax: number) =>
    source.read(at, Math.min(bytes, bytesMax));
  return {
    isAmd64: view.getUint16(18, true) === AMD64,
    isMovable: view.getUint16(16, true) === MOVABLE,
    sections,
    segments,
    section: (name) => sections.find((each) => each.name === name),
    bytesOf,
    readMemory(address, bytes) {
      const at = fileOffset(address);
      return at < 0 ? new Uint8Array() : source.read(at, bytes);
    },
    fileOffset,
    symbol(name) {
      const table = sections.find((each) => each.type === SYMBOL_TABLE) ??
        sections.find((each) => each.type === DYNAMIC_SYMBOLS);
      const names = table === undefined ? undefined : sections[table.link];
      if (table === undefined || names === undefined) return null;
      return findSymbol(bytesOf(table, SYMBOLS_BYTES_MAX), bytesOf(names, SYMBOLS_BYTES_MAX), name);
    },
    symbolName(table, index) {
      const symbols = sections[table];
      const names = symbols === undefined ? undefined : sections[symbols.link];
      if (symbols === undefined || names === undefined) return "";
      const entry = source.read(symbols.at + index * SYMBOL_BYTES, 4);
      if (entry.length < 4) return "";
      return textAt(source.read(names.at + viewOf(entry).getUint32(0, true), NAME_BYTES_MAX), 0);
    },
  };
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit number; those beyond 2^53 lose their low bits, and are addresses of nothing here. */
export const word = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

/** Calls `read` with the start of each entry of a table that lies whole within its bytes. */
function entries<T>(
  source: ByteSource,
  table: { readonly at: number; readonly count: number; readonly entryBytes: number },
  read: (view: DataView, at: number) => T,
): T[] {
  const { at, count, entryBytes } = table;
  if (entryBytes === 0) return [];
  const bytes = source.read(at, Math.min(count * entryBytes, TABLE_BYTES_MAX));
  const view = viewOf(bytes);
  const all: T[] = [];
  for (let i = 0; (i + 1) * entryBytes <= bytes.length; i++) all.push(read(view, i * entryBytes));
  return all;
}

function readSegments(source: ByteSource, header: DataView): Segment[] {
  const table = {
    at: word(header, 32),
    entryBytes: header.getUint16(54, true),
    count: header.getUint16(56, true),
  };
  if (table.entryBytes < 56) return [];
  return entries(source, table, (view, at) => ({
    type: view.getUint32(at, true),
    flags: view.getUint32(at + 4, true),
    at: word(view, at + 8),
    address: word(view, at + 16),
    fileBytes: word(view, at + 32),
    memoryBytes: word(view, at + 40),
    align: word(view, at + 48),
  }));
}

function readSections(source: ByteSource, header: DataView): Section[] {
  const table = {
    at: word(header, 40),
    entryBytes: header.getUint16(58, true),
    count: header.getUint16(60, true),
  };
  if (table.at === 0 || table.entryBytes < 64) return [];
  const raw = entries(source, table, (view, at) => ({
    nameAt: view.getUint32(at, true),
    type: view.getUint32(at + 4, true),
    address: word(view, at + 16),
    at: word(view, at + 24),
    bytes: word(view, at + 32),
    link: view.getUint32(at + 40, true),
  }));
  const strings = raw[header.getUint16(62, true)];
  const names = strings === undefined
    ? new Uint8Array()
    : source.read(strings.at, Math.min(strings.bytes, TABLE_BYTES_MAX));
  return raw.map(({ nameAt, ...section }) => ({ ...section, name: textAt(names, nameAt) }));
}

const decoder = new TextDecoder();

/** Text up to its NUL. */
export function textAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return decoder.decode(bytes.subarray(at, end < 0 ? bytes.length : end));
}

const SYMBOL_BYTES = 24;

function findSymbol(table: Uint8Array, names: Uint8Array, wanted: string): number | null {
  const view = viewOf(table);
  const name = new TextEncoder().encode(`${wanted}\0`);
  for (let at = 0; at + SYMBOL_BYTES <= table.length; at += SYMBOL_BYTES) {
    const nameAt = view.getUint32(at, true);
    if (name.every((byte, i) => names[nameAt + i] === byte)) return word(view, at + 8);
  }
  return null;
}
