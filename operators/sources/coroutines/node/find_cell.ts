// SPDX-License-Identifier: Apache-2.0
// Where in a process lies what begins with a mark: the C library's allocator puts it somewhere.

import type { ByteSource } from "../elf_file.ts";

/** Four words, which nothing else in the process is likely to hold. */
export type Mark = readonly [number, number, number, number];

const CHUNK_BYTES = 1 << 20;
/** Of all writable memory; what is beyond is not looked at. */
const LOOKED_BYTES_MAX = 4 * 2 ** 30;
const ALIGNED_BYTES = 16;

/** Its address; null where it is not found. `maps` is the text of /proc/PID/maps. */
export function findCell(memory: ByteSource, maps: string, mark: Mark): number | null {
  let looked = 0;
  for (const { from, to } of writable(maps)) {
    for (let at = from; at < to && looked < LOOKED_BYTES_MAX; at += CHUNK_BYTES) {
      const bytes = memory.read(at, Math.min(CHUNK_BYTES, to - at));
      looked += CHUNK_BYTES;
      const found = within(bytes, mark);
      if (found >= 0) return at + found;
      if (bytes.length === 0) break;
    }
  }
  return null;
}

function within(bytes: Uint8Array, [first, ...rest]: Mark): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
  for (let i = 0; i + 3 < words.length; i += ALIGNED_BYTES / 4) {
    if (words[i] === first && rest.every((word, j) => words[i + 1 + j] === word)) return 4 * i;
  }
  return -1;
}

/** Memory of the process alone, the heap first: there it is, in nearly all. */
function writable(maps: string): { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number; isHeap: boolean }[] = [];
  for (const line of maps.split("\n")) {
    const [, from = "", to = "", path = ""] =
      /^([0-9a-f]+)-([0-9a-f]+) rw\S* \S+ \S+ 0\s*(\S*)$/.exec(line) ?? [];
    if (from === "" || (path !== "" && path !== "[heap]" && !path.startsWith("[anon"))) continue;
    const isHeap = path === "[heap]";
    found.push({ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16), isHeap });
  }
  return found.sort((a, b) => Number(b.isHeap) - Number(a.isHeap));
}
