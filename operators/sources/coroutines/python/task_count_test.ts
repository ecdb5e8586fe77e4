// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { type Counts, findTaskCount } from "./task_count.ts";

const LIBRARY = "/usr/lib/python3.11/lib-dynload/_asyncio.cpython-311-x86_64-linux-gnu.so";
const MAPS = `7000-8000 r-xp 00000000 fe:00 1  ${LIBRARY}
8000-8020 rw-p 00010000 fe:00 1  ${LIBRARY}
`;

/** What asyncio's variables hold, word by word. */
function look(words: readonly number[], before: Counts, maps = MAPS) {
  const view = new DataView(new ArrayBuffer(32));
  for (const [i, value] of words.entries()) view.setBigUint64(8 * i, BigInt(value), true);
  const read = (at: number, bytes: number) =>
    new Uint8Array(view.buffer).subarray(at - 0x8000, at - 0x8000 + bytes);
  return findTaskCount({ read }, maps, before);
}

function counts(found: number | Counts): Counts {
  assert.ok(typeof found !== "number");
  return found;
}

Deno.test("task count: of asyncio's variables the one that only rises", () => {
  const pointer = 0x7f00_0000_0000;
  const first = counts(look([pointer, 300, 7, 400], null));
  const second = counts(look([pointer, 300, 90, 399], first));
  assert.equal(look([pointer, 310, 200, 500], second), 0x8008);
});

Deno.test("task count: what may be the number of futures kept for later is none", () => {
  const first = counts(look([0, 10, 7, 0], null));
  assert.deepEqual([...counts(look([0, 20, 200, 0], first)) ?? []].length, 4);
});

Deno.test("task count: where asyncio is part of the program, nothing is looked at", () => {
  assert.equal(look([1], null, "8000-8020 rw-p 00010000 fe:00 1  /usr/bin/python3.11\n"), null);
});
