// SPDX-License-Identifier: Apache-2.0
// Where asyncio counts the names that it gives to tasks, Task-1, Task-2 ...: before Python 3.12 it
// is a variable of its C half without a symbol.
//
// It is the only one there that only rises, and beyond what the others may hold; so it is found
// once a process has started some hundred tasks.

import { type ByteSource, viewOf, word as wordOf } from "../elf_file.ts";

/** Candidates by address, with what they held at the last look; null before the first one. */
export type Counts = ReadonlyMap<number, number> | null;

/** asyncio keeps up to 255 futures' iterators for later use, and counts them. */
const OTHERS_MAX = 255;
const COUNT_MAX = 2 ** 40;
const BYTES_MAX = 1 << 16;

/** Address of the count where it has shown, else what to look at next time. */
export function findTaskCount(
  memory: ByteSource,
  maps: string,
  before: Counts,
): number | Counts {
  const place = writable(maps);
  if (place === null) return before;
  const view = viewOf(memory.read(place.from, Math.min(place.to - place.from, BYTES_MAX)));
  const now = new Map<number, number>();
  const risen: number[] = [];
  for (let at = 0; at + 8 <= view.byteLength; at += 8) {
    const value = wordOf(view, at);
    const address = place.from + at;
    const last = before?.get(address);
    if (value > COUNT_MAX || (before !== null && (last === undefined || value < last))) continue;
    now.set(address, value);
    if (last !== undefined && value > last && value > OTHERS_MAX) risen.push(address);
  }
  return risen.length === 1 && risen[0] !== undefined ? risen[0] : now;
}

/** Variables of asyncio's C half, where that is a library of its own. */
function writable(maps: string): { readonly from: number; readonly to: number } | null {
  const line = /^([0-9a-f]+)-([0-9a-f]+) rw\S* .*\/_asyncio\.[^/]*\.so$/m.exec(maps);
  const [, from = "", to = ""] = line ?? [];
  return line === null ? null : { from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) };
}
