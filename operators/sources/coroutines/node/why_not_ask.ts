// SPDX-License-Identifier: Apache-2.0
// Whether a process may be sent SIGUSR1: only where Node itself handles it. A program may handle it
// for purposes of its own, and where nobody does the signal would end it.

import type { ByteSource } from "../elf_file.ts";

const HANDLER_BYTES = 32;

/** "" where it may. `handler` is the address of what handles the signal; 0 or 1: nothing does. */
export function whyNotAsk(handler: number, memory: ByteSource | undefined): string {
  if (handler <= 1) return "it does not open its debugger at a signal";
  const code = memory?.read(handler, HANDLER_BYTES);
  if (code === undefined || code.length < HANDLER_BYTES) return "its memory cannot be read";
  return wakesDebugger(code) ? "" : "it uses SIGUSR1, which would open its debugger, itself";
}

/**
 * Node's handler does one thing, which is to post a semaphore of its own: it loads an address and
 * jumps. That of libuv, which passes signals on to the program, keeps errno and much more.
 */
function wakesDebugger(code: Uint8Array): boolean {
  let at = 0;
  let isLoaded = false;
  while (at < code.length) {
    const skipped = FILLERS.find((filler) => filler.every((byte, i) => code[at + i] === byte));
    if (skipped !== undefined) at += skipped.length;
    else if (code[at] === 0xbf && !isLoaded) [at, isLoaded] = [at + 5, true]; // mov $x,%edi
    else if (isLea(code, at) && !isLoaded) [at, isLoaded] = [at + 7, true]; // lea x(%rip),%rdi
    else return isLoaded && (code[at] === 0xe9 || code[at] === 0xe8); // jmp, call
  }
  return false;
}

const isLea = (code: Uint8Array, at: number): boolean =>
  code[at] === 0x48 && code[at + 1] === 0x8d && code[at + 2] === 0x3d;

/** endbr64; push %rbp; mov %rsp,%rbp; pop %rbp; sub $8,%rsp */
const FILLERS: readonly (readonly number[])[] = [
  [0xf3, 0x0f, 0x1e, 0xfa],
  [0x55],
  [0x48, 0x89, 0xe5],
  [0x5d],
  [0x48, 0x83, 0xec, 0x08],
];
