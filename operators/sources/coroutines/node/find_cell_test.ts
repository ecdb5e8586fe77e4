// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { findCell } from "./find_cell.ts";

const MARK = [7, 8, 9, 10] as const;

/** Memory from 0x10000 on that holds words at addresses. */
function memoryWith(...held: readonly (readonly [number, readonly number[]])[]) {
  const bytes = new Uint8Array(0x40000);
  for (const [at, words] of held) {
    words.forEach((word, i) =>
      new DataView(bytes.buffer).setUint32(at - 0x10000 + 4 * i, word, true)
    );
  }
  return { read: (at: number, length: number) => bytes.slice(at - 0x10000, at - 0x10000 + length) };
}

const MAPS = `00010000-00020000 r-xp 00000000 fd:00 7   /usr/bin/node
00020000-00030000 rw-p 00000000 00:00 0
00030000-00040000 rw-p 00000000 fd:00 7   /usr/bin/node
00040000-00050000 rw-p 00000000 00:00 0   [heap]
`;

Deno.test("node: the cell is found by its mark, in memory of the process alone", () => {
  assert.equal(findCell(memoryWith([0x20450, MARK]), MAPS, MARK), 0x20450);
  assert.equal(findCell(memoryWith([0x20450, MARK], [0x40010, MARK]), MAPS, MARK), 0x40010);
});

Deno.test("node: parts of the mark, and the mark elsewhere, are not the cell", () => {
  const elsewhere = memoryWith([0x10000, MARK], [0x30000, MARK], [0x20000, [7, 8, 9, 11]]);
  assert.equal(findCell(elsewhere, MAPS, MARK), null);
});
