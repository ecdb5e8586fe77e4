// SPDX-License-Identifier: Apache-2.0
// A file descriptor's memory, mapped into this process and seen as an ArrayBuffer.

import { BpfError, errnoText } from "./bpf_error.ts";
import type { Libc } from "./libc.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** `buffer` must not be touched after disposal: the process would be killed. */
export interface MappedMemory extends Disposable {
  readonly buffer: ArrayBuffer;
}

/** `offset` is in bytes and a multiple of the page size. */
export function mapMemory(
  libc: Libc,
  fd: number,
  bytes: number,
  offset: number,
  access: "read" | "write",
): MappedMemory {
  const protection = access === "write" ? PROT_READ | PROT_WRITE : PROT_READ;
  const size = BigInt(bytes);
  const at = libc.call.mmap(null, size, protection, MAP_SHARED, fd, BigInt(offset));
  if (at === null || BigInt.asUintN(64, BigInt(Deno.UnsafePointer.value(at))) === MAP_FAILED) {
    const errno = libc.errno();
    throw new BpfError(`Cannot map ${bytes} bytes: ${errnoText(errno)}`, errno, "mmap");
  }
  return {
    buffer: Deno.UnsafePointerView.getArrayBuffer(at, bytes),
    [Symbol.dispose]: () => void libc.call.munmap(at, size),
  };
}
