// SPDX-License-Identifier: Apache-2.0
// Where the Go runtime keeps what is read of it, by version: offsets in bytes within struct g and
// struct m on amd64.
//
// Taken from the DWARF of programs built by 1.15, 1.19, 1.21 to 1.24, 1.26 and 1.27, the others
// from src/runtime/runtime2.go. A new version moves them rarely; an unknown newer one is read as
// the newest known.

import { type ElfFile, SEGMENT } from "./elf_file.ts";
import type { GoVersion } from "./go_build_info.ts";

export interface GoLayout {
  /** Of the g of a thread, from its thread pointer. */
  readonly tlsOffset: number;
  readonly goidAt: number;
  /** Number of the goroutine that started this one; 0: not kept. */
  readonly parentAt: number;
  readonly startpcAt: number;
  /** In struct m: the goroutine behind the scheduler's own stack. */
  readonly curgAt: number;
  /** Arguments are passed on the stack rather than in registers. */
  readonly stackArgs: boolean;
  /** Where newproc1 leaves its result on the stack; 0: in a register. */
  readonly spawnResultAt: number;
  /** Where a started function keeps its first argument, down from the end of the stack. */
  readonly receiverAt: number;
  /** Frame pointer of a goroutine that does not run. */
  readonly savedFrameAt: number;
  /** In struct hchan: index of the first element. */
  readonly receiveIndexAt: number;
}

/** Each: first minor version of Go 1, then the offsets. */
const OFFSETS = [
  // from, goid, parent, startpc, curg, saved frame, receive index
  [15, 152, 0, 296, 192, 104, 48],
  [17, 152, 0, 312, 192, 104, 48],
  [21, 152, 272, 296, 192, 104, 48],
  [23, 160, 280, 304, 192, 104, 56],
  [25, 152, 272, 296, 184, 96, 56],
  [26, 152, 280, 304, 184, 96, 56],
] as const;

/** First minor version of Go 1 that is read, and the newest that was looked at. */
export const OLDEST_KNOWN = 15;
export const NEWEST_KNOWN = 27;

/** First minor version that passes arguments in registers. */
const REGISTERS_FROM = 17;
const SPAWN_RESULT_ON_STACK = 40;

/** The layout, or the reason why goroutines of the program cannot be told. */
export function goLayoutOf(elf: ElfFile, { major, minor, text }: GoVersion): GoLayout | string {
  if (!elf.isAmd64) return "it is not for x86-64";
  if (major !== 1 || minor < OLDEST_KNOWN) {
    return `it was built by ${text}; goroutines are read from Go 1.${OLDEST_KNOWN} on`;
  }
  const row = OFFSETS.findLast(([from]) => minor >= from);
  const tlsOffset = tlsOffsetOf(elf);
  if (tlsOffset === null || row === undefined) {
    return "it has thread-local data beside Go's, and no symbols to tell them apart";
  }
  const stackArgs = minor < REGISTERS_FROM;
  const [, goidAt, parentAt, startpcAt, curgAt, savedFrameAt, receiveIndexAt] = row;
  return {
    goidAt,
    parentAt,
    startpcAt,
    curgAt,
    savedFrameAt,
    receiveIndexAt,
    tlsOffset,
    stackArgs,
    spawnResultAt: stackArgs ? SPAWN_RESULT_ON_STACK : 0,
    // The stack of a goroutine begins with 32 free bytes and a return address; then the argument,
    // or, since arguments are in registers, a wrapper's frame of 16 bytes with the saved one.
    receiverAt: stackArgs ? 40 : 56,
  };
}

const WORD_BYTES = 8;

/** Go alone has one word right below the thread pointer. */
function tlsOffsetOf(elf: ElfFile): number | null {
  const tls = elf.segments.find(({ type }) => type === SEGMENT.tls);
  if (tls === undefined || tls.memoryBytes <= WORD_BYTES) return -WORD_BYTES;
  const at = elf.symbol("runtime.tlsg");
  if (at === null) return null;
  const align = Math.max(1, tls.align);
  return at - Math.ceil(tls.memoryBytes / align) * align;
}
