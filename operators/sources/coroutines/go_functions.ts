// SPDX-License-Identifier: Apache-2.0
// Functions of a Go program by name, out of the table that the runtime itself needs (pclntab): it
// is there in stripped programs as well.
//
// Its header begins with a magic number that tells the layout (debug/gosym):
//   fffffffb  Go 1.2 to 1.15:  count, entries (address, offset) from byte 8; names beside them
//   fffffffa  Go 1.16, 1.17:   tables apart; entries of addresses
//   fffffff0  Go 1.18, 1.19:   entries of 32-bit offsets from the start of the text
//   fffffff1  Go 1.20 and on:  the same

import { type ElfFile, type Section, textAt, viewOf, word } from "./elf_file.ts";

export interface GoFunction {
  readonly name: string;
  /** Address of its first byte, as linked. */
  readonly entry: number;
  /** Address of the next function. */
  readonly end: number;
}

const TABLE_BYTES_MAX = 128 << 20;
const SECTIONS = [".gopclntab", ".data.rel.ro.gopclntab"] as const;

/** Functions whose names begin with one of `prefixes`, or the reason why they cannot be told. */
export function findFunctions(elf: ElfFile, prefixes: readonly string[]): GoFunction[] | string {
  const section = SECTIONS.map((name) => elf.section(name)).find((found) => found !== undefined);
  if (section === undefined) return "its table of functions is not to be found";
  const bytes = elf.bytesOf(section, TABLE_BYTES_MAX);
  const table = openTable(elf, section, bytes);
  if (typeof table === "string") return table;
  const wanted = prefixes.map((prefix) => new TextEncoder().encode(prefix));
  const found: GoFunction[] = [];
  for (let i = 0; i < table.count; i++) {
    const nameAt = table.nameAt(i);
    if (!wanted.some((prefix) => startsWith(bytes, nameAt, prefix))) continue;
    found.push({ name: textAt(bytes, nameAt), entry: table.entry(i), end: table.entry(i + 1) });
  }
  const base = table.isRelative ? textStart(elf, table.textStart, found) : 0;
  if (base === null) return "the start of its code is not to be found";
  return found.map(({ name, entry, end }) => ({ name, entry: entry + base, end: end + base }));
}

interface Table {
  readonly count: number;
  /** Entries count from the start of the text. */
  readonly isRelative: boolean;
  /** As the header says; 0 where it does not. */
  readonly textStart: number;
  entry(i: number): number;
  nameAt(i: number): number;
}

function openTable(elf: ElfFile, section: Section, bytes: Uint8Array): Table | string {
  const view = viewOf(bytes);
  if (bytes.length < 72 || bytes[7] !== 8) return "its table of functions is damaged";
  const inBounds = (at: number) => at >= 0 && at + 8 <= bytes.length ? at : 0;
  const count = word(view, 8);
  const magic = view.getUint32(0, true);
  if (magic === 0xfffffffb || magic === 0xfffffffa) {
    const is1_2 = magic === 0xfffffffb;
    const functions = is1_2 ? 16 : word(view, 56);
    const base = is1_2 ? 0 : functions;
    const names = is1_2 ? 0 : word(view, 24);
    if (elf.isMovable && word(view, inBounds(functions)) === 0) {
      return "its addresses are known only when it runs";
    }
    return checked(section, count, 16, functions, {
      isRelative: false,
      textStart: 0,
      entry: (i) => word(view, inBounds(functions + 16 * i)),
      nameAt(i) {
        const at = base + word(view, inBounds(functions + 16 * i + 8));
        return names + view.getInt32(inBounds(at + 8), true);
      },
    });
  }
  if (magic !== 0xfffffff0 && magic !== 0xfffffff1) {
    return `its table of functions is of an unknown kind (${magic.toString(16)})`;
  }
  const names = word(view, 32), functions = word(view, 64);
  return checked(section, count, 8, functions, {
    isRelative: true,
    textStart: word(view, 24),
    entry: (i) => view.getUint32(inBounds(functions + 8 * i), true),
    nameAt(i) {
      const at = functions + view.getUint32(inBounds(functions + 8 * i + 4), true);
      return names + view.getInt32(inBounds(at + 4), true);
    },
  });
}

function checked(
  { bytes }: Section,
  count: number,
  entryBytes: number,
  at: number,
  table: Omit<Table, "count">,
): Table | string {
  const isWhole = at + count * entryBytes <= Math.min(bytes, TABLE_BYTES_MAX);
  return isWhole ? { ...table, count } : "its table of functions is damaged, or too large";
}

/** Code of other languages may stand before that of Go: so far at most. */
const FOREIGN_BYTES_MAX = 1 << 18;
const TEXT_ALIGN = 16;

/**
 * Newer headers leave the start of the text open, and that of a movable program is filled in when
 * it runs. It is where the call of one known function to another lands on its target.
 */
function textStart(elf: ElfFile, told: number, functions: readonly GoFunction[]): number | null {
  const text = elf.section(".text");
  const caller = functions.find(({ name }) => name === SPAWN.caller);
  const callee = functions.find(({ name }) => name === SPAWN.callee);
  if (text === undefined || caller === undefined || callee === undefined) return told || null;
  const fits = (base: number) =>
    afterCall(elf, { ...caller, entry: base + caller.entry, end: base + caller.end }, {
      ...callee,
      entry: base + callee.entry,
    }) !== null;
  if (told !== 0 && fits(told)) return told;
  const last = Math.min(text.bytes, FOREIGN_BYTES_MAX);
  for (let step = 0; step < last; step += TEXT_ALIGN) {
    if (fits(text.address + step)) return text.address + step;
  }
  return null;
}

/** Who makes goroutines, in all versions that are read. */
export const SPAWN = { caller: "runtime.newproc.func1", callee: "runtime.newproc1" } as const;

const CALL = 0xe8;
const CALL_BYTES = 5;
const FUNCTION_BYTES_MAX = 65_536;

/** Address after the first call of `callee` within `caller`; null if there is none. */
export function afterCall(
  elf: ElfFile,
  caller: GoFunction,
  callee: Pick<GoFunction, "entry">,
): number | null {
  const [first] = callsOf(elf, caller, callee);
  return first === undefined ? null : first + CALL_BYTES;
}

/** Addresses of all calls of `callee` within `caller`. */
export function callsOf(
  elf: ElfFile,
  caller: GoFunction,
  callee: Pick<GoFunction, "entry">,
): number[] {
  const calls: number[] = [];
  const code = elf.readMemory(
    caller.entry,
    Math.min(caller.end - caller.entry, FUNCTION_BYTES_MAX),
  );
  const view = viewOf(code);
  for (let at = 0; at + CALL_BYTES <= code.length; at++) {
    if (code[at] !== CALL) continue;
    const after = caller.entry + at + CALL_BYTES;
    if (after + view.getInt32(at + 1, true) === callee.entry) calls.push(after - CALL_BYTES);
  }
  return calls;
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}
