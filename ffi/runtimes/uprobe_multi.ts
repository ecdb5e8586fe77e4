// SPDX-License-Identifier: Apache-2.0
// Breakpoints at several places of a program file as one link (Linux 6.6): all are taken away at
// once, in some 25 ms, where each alone takes a tenth of a second. libbpf knows them from 1.3 on;
// here the system call is made directly, so that older ones do.

import { BpfError, errnoText } from "../bpf_error.ts";
import { cString, type Libc } from "../libc.ts";

/** Programs must be loaded for it: they cannot be attached to single places then. */
export const TRACE_UPROBE_MULTI = 48;

const SYSCALL_BPF = Deno.build.arch === "x86_64" ? 321n : 280n;
const LINK_CREATE = 28;
/** Of union bpf_attr, as far as link_create.uprobe_multi goes. */
const ATTR_BYTES = 64;

/** In all processes that run the file. Returns the descriptor of the link, which holds it. */
export function linkUprobes(
  libc: Libc,
  programFd: number,
  path: string,
  offsets: readonly number[],
): number {
  const file = cString(path);
  const places = new BigUint64Array(offsets.map(BigInt));
  const attr = new DataView(new ArrayBuffer(ATTR_BYTES));
  attr.setUint32(0, programFd, true);
  attr.setUint32(8, TRACE_UPROBE_MULTI, true);
  attr.setBigUint64(16, addressOf(file), true);
  attr.setBigUint64(24, addressOf(places), true);
  attr.setUint32(48, places.length, true);
  const fd = Number(libc.call.syscall(SYSCALL_BPF, LINK_CREATE, attr.buffer, ATTR_BYTES));
  if (fd >= 0) return fd;
  const errno = libc.errno();
  throw new BpfError(`Cannot attach to ${path}: ${errnoText(errno)}`, errno, "bpf");
}

const addressOf = (bytes: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>): bigint =>
  BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
