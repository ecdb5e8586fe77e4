// SPDX-License-Identifier: Apache-2.0
// A library that calls functions of others, as uvloop's does, for tests.

import { bytesOf, fixtureLibrary, LINKED_AT, symbolsOf, wordsOf } from "./library_fixture.ts";

/** Where its code stands in the file. */
export const JUMPS_AT = 128;
/** Where the addresses of PySet_Clear, and then of PySet_Add, are kept. */
export const SLOTS = LINKED_AT + 0x3000;

/** `jmp *slot(%rip)` of 16 bytes each, for the slots of the functions that are called. */
export function jumps(slots: readonly number[], before: readonly number[] = []): Uint8Array {
  const code = new Uint8Array(16 * slots.length).fill(0xcc);
  const view = new DataView(code.buffer);
  for (const [i, slot] of slots.entries()) {
    code.set([...before, 0xff, 0x25], 16 * i);
    const at = 16 * i + before.length;
    view.setInt32(at + 2, slot - (LINKED_AT + JUMPS_AT + at + 6), true);
  }
  return code;
}

export function uvloopLibrary(
  code = jumps([SLOTS, SLOTS + 8]),
  called = "PySet_Add",
  relocations = ".rela.plt",
): Uint8Array {
  const names = `\0PySet_Clear\0${called}\0`;
  const relocation = (slot: number, symbol: bigint) => [BigInt(slot), symbol << 32n | 7n, 0n];
  return fixtureLibrary([
    { name: ".plt.sec", bytes: code },
    { name: ".dynstr", bytes: bytesOf(names) },
    {
      ...{ name: ".dynsym", type: 11, link: ".dynstr" },
      bytes: symbolsOf({ nameAt: 1 }, { nameAt: 13 }),
    },
    {
      ...{ name: relocations, type: 4, link: ".dynsym" },
      bytes: wordsOf(...relocation(SLOTS, 1n), ...relocation(SLOTS + 8, 2n)),
    },
  ]);
}
