// SPDX-License-Identifier: Apache-2.0
// Program files as the Go linker lays them out, made of a few functions, for tests.

import type { ByteSource } from "./elf_file.ts";

export interface FixtureFunction {
  readonly name: string;
  /** Functions that it calls, in order. */
  readonly calls?: readonly string[];
}

export interface FixtureProgram {
  /** "go1.22.1"; null: not built by Go. */
  readonly version: string | null;
  readonly functions: readonly FixtureFunction[];
  readonly machine?: number;
  /** Bytes of thread-local data; absent: no such segment. */
  readonly tlsBytes?: number;
  /** Bytes of other languages before the first Go function. */
  readonly foreignBytes?: number;
  /** Whether the table of functions tells where the code begins. */
  readonly tellsTextStart?: boolean;
  readonly magic?: number;
}

/** Bytes of each function: one call per five bytes, then padding. */
const FUNCTION_BYTES = 64;
export const TEXT_ADDRESS = 0x401000;
const TEXT_AT = 0x1000;
const INFO_AT = 0x8000;
const TABLE_AT = 0xa000;
const NAMES_AT = 0xe000;
const SECTIONS_AT = 0xf000;
const FILE_BYTES = 0x10000;

/** Address of the n-th function. */
export const entryOf = (program: FixtureProgram, n: number): number =>
  TEXT_ADDRESS + (program.foreignBytes ?? 0) + n * FUNCTION_BYTES;

export function fixtureSource(program: FixtureProgram): ByteSource {
  const file = new Uint8Array(FILE_BYTES);
  const view = new DataView(file.buffer);
  writeHeader(view, program);
  writeCode(file, view, program);
  if (program.version !== null) writeInfo(file, view, program.version);
  writeTable(file, view, program);
  writeSections(file, view);
  return { read: (at, bytes) => file.subarray(at, Math.min(file.length, at + bytes)) };
}

const word = (view: DataView, at: number, value: number) =>
  view.setBigUint64(at, BigInt(value), true);

const text = (file: Uint8Array, at: number, value: string) =>
  file.set(new TextEncoder().encode(`${value}\0`), at);

function writeHeader(view: DataView, { machine = 62, tlsBytes }: FixtureProgram): void {
  [0x7f, 0x45, 0x4c, 0x46, 2, 1].forEach((byte, i) => view.setUint8(i, byte));
  view.setUint16(16, 2, true);
  view.setUint16(18, machine, true);
  word(view, 32, 64);
  word(view, 40, SECTIONS_AT);
  view.setUint16(54, 56, true);
  view.setUint16(56, tlsBytes === undefined ? 1 : 2, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, SECTION_NAMES.length + 1, true);
  view.setUint16(62, SECTION_NAMES.length, true);
  segment(view, 64, { type: 1, at: 0, address: TEXT_ADDRESS - TEXT_AT, bytes: FILE_BYTES });
  if (tlsBytes !== undefined) {
    segment(view, 120, { type: 7, at: 0, address: 0, bytes: tlsBytes });
  }
}

function segment(
  view: DataView,
  at: number,
  from: { type: number; at: number; address: number; bytes: number },
): void {
  view.setUint32(at, from.type, true);
  view.setUint32(at + 4, 7, true);
  word(view, at + 8, from.at);
  word(view, at + 16, from.address);
  word(view, at + 32, from.bytes);
  word(view, at + 40, from.bytes);
  word(view, at + 48, 8);
}

function writeCode(file: Uint8Array, view: DataView, program: FixtureProgram): void {
  const { functions, foreignBytes = 0 } = program;
  for (const [n, { calls = [] }] of functions.entries()) {
    for (const [i, name] of calls.entries()) {
      const at = TEXT_AT + foreignBytes + n * FUNCTION_BYTES + 5 * i;
      const target = functions.findIndex((each) => each.name === name);
      const after = entryOf(program, n) + 5 * i + 5;
      file[at] = 0xe8;
      view.setInt32(at + 1, entryOf(program, target) - after, true);
    }
  }
}

function writeInfo(file: Uint8Array, view: DataView, version: string): void {
  view.setUint8(INFO_AT, 0xff);
  text(file, INFO_AT + 1, " Go buildinf:");
  view.setUint8(INFO_AT + 14, 8);
  view.setUint8(INFO_AT + 15, 2);
  view.setUint8(INFO_AT + 32, version.length);
  text(file, INFO_AT + 33, version);
}

const TABLE_NAMES_AT = 128;
const TABLE_FUNCTIONS_AT = 2048;
const NAME_BYTES = 64;

function writeTable(file: Uint8Array, view: DataView, program: FixtureProgram): void {
  const { functions, magic = 0xfffffff1, tellsTextStart = true, foreignBytes = 0 } = program;
  view.setUint32(TABLE_AT, magic, true);
  view.setUint8(TABLE_AT + 6, 1);
  view.setUint8(TABLE_AT + 7, 8);
  word(view, TABLE_AT + 8, functions.length);
  word(view, TABLE_AT + 24, tellsTextStart ? TEXT_ADDRESS + foreignBytes : 0);
  word(view, TABLE_AT + 32, TABLE_NAMES_AT);
  word(view, TABLE_AT + 64, TABLE_FUNCTIONS_AT);
  for (let n = 0; n <= functions.length; n++) {
    const entry = TABLE_AT + TABLE_FUNCTIONS_AT + 8 * n;
    const details = 8 * (functions.length + 1) + 16 * n;
    view.setUint32(entry, n * FUNCTION_BYTES, true);
    view.setUint32(entry + 4, details, true);
    view.setInt32(TABLE_AT + TABLE_FUNCTIONS_AT + details + 4, n * NAME_BYTES, true);
    text(file, TABLE_AT + TABLE_NAMES_AT + n * NAME_BYTES, functions[n]?.name ?? "");
  }
}

const SECTION_NAMES = ["", ".text", ".go.buildinfo", ".gopclntab"] as const;
const SECTION_PLACES = [[0, 0], [TEXT_AT, 0x4000], [INFO_AT, 0x200], [TABLE_AT, 0x4000]] as const;

function writeSections(file: Uint8Array, view: DataView): void {
  let nameAt = 0;
  for (const [i, name] of SECTION_NAMES.entries()) {
    const header = SECTIONS_AT + 64 * i;
    const [at, bytes] = SECTION_PLACES[i] ?? [0, 0];
    view.setUint32(header, nameAt, true);
    word(view, header + 16, TEXT_ADDRESS - TEXT_AT + at);
    word(view, header + 24, at);
    word(view, header + 32, bytes);
    text(file, NAMES_AT + nameAt, name);
    nameAt += name.length + 1;
  }
  const names = SECTIONS_AT + 64 * SECTION_NAMES.length;
  word(view, names + 24, NAMES_AT);
  word(view, names + 32, nameAt);
}
