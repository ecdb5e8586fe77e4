// SPDX-License-Identifier: Apache-2.0
// The few functions of the C library that are needed, and C strings.
//
// Permission: plain --allow-ffi. With a list of library paths Deno opens the libraries, but refuses
// to read memory through pointers, which errno, ring and variables of the programs need.

import { BpfError, errnoText } from "./bpf_error.ts";

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  close_apart: { name: "close", parameters: ["i32"], result: "i32", nonblocking: true },
  syscall: { parameters: ["i64", "i32", "buffer", "u32"], result: "i64" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  mmap: {
    parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "pointer"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32", nonblocking: true },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setns: { parameters: ["i32", "i32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Functions = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The C library. Opening it is cheap; it stays loaded with the process. */
export interface Libc extends Disposable {
  readonly call: Functions;
  /** Of the last failed call; read it before calling anything else. */
  errno(): number;
}

export function openLibc(): Libc {
  const library = Deno.dlopen("libc.so.6", SYMBOLS);
  return {
    call: library.symbols,
    errno() {
      const location = library.symbols.__errno_location();
      return location === null ? 0 : new Deno.UnsafePointerView(location).getInt32();
    },
    [Symbol.dispose]: () => library.close(),
  };
}

/** Throws when `result` is negative; `doing` completes "Cannot …". */
export function checked(libc: Libc, result: number, call: string, doing: string): number {
  if (result >= 0) return result;
  const errno = libc.errno();
  throw new BpfError(`Cannot ${doing}: ${errnoText(errno)}`, errno, call);
}

const encoder = new TextEncoder();

/** NUL-terminated UTF-8. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}
