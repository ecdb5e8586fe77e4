// SPDX-License-Identifier: Apache-2.0
// Where uvloop, in its library, adds to sets: so it keeps in mind which connections have something
// to send. It has no symbols of its own for that, but calls PySet_Add of the interpreter, and all
// such calls pass one jump (System V ABI, chapter "Procedure Linkage Table").

import { type ElfFile, viewOf, word } from "../elf_file.ts";

const CALLED = "PySet_Add";
const RELOCATION_BYTES = 24;
const TABLE_BYTES_MAX = 1 << 20;
/** Of code that jumps to other libraries. */
const JUMPS = [".plt", ".plt.sec", ".plt.got"] as const;
/** jmp *offset(%rip) */
const JUMP_BYTES = 6;

/** The file of uvloop that a process has loaded. */
const LOADED = /\s(\/\S.*\/uvloop\/loop\.[^/\n]*\.so)$/m;

export const uvloopIn = (maps: string): string | null => LOADED.exec(maps)?.[1] ?? null;

/** Byte of the file at which all additions to sets pass; null where there is none. */
export function findQueueing(elf: ElfFile): number | null {
  const slot = slotOf(elf);
  if (!elf.isAmd64 || slot === null) return null;
  for (const name of JUMPS) {
    const section = elf.section(name);
    if (section === undefined) continue;
    const code = viewOf(elf.bytesOf(section, TABLE_BYTES_MAX));
    for (let at = 0; at + JUMP_BYTES <= code.byteLength; at++) {
      if (code.getUint16(at) !== 0xff25) continue;
      const target = section.address + at + JUMP_BYTES + code.getInt32(at + 2, true);
      if (target === slot) return elf.fileOffset(section.address + at);
    }
  }
  return null;
}

/** Where the address of the function is kept that is called. */
function slotOf(elf: ElfFile): number | null {
  for (const name of [".rela.plt", ".rela.dyn"]) {
    const section = elf.section(name);
    if (section === undefined) continue;
    const table = viewOf(elf.bytesOf(section, TABLE_BYTES_MAX));
    for (let at = 0; at + RELOCATION_BYTES <= table.byteLength; at += RELOCATION_BYTES) {
      const symbol = table.getUint32(at + 12, true);
      if (symbol !== 0 && elf.symbolName(section.link, symbol) === CALLED) return word(table, at);
    }
  }
  return null;
}
