// SPDX-License-Identifier: Apache-2.0
// Reads files of /proc and /sys through the C library: Deno refuses those to anything short of
// all permissions.

import type { Libc } from "./libc.ts";
import { cString } from "./libc.ts";

const O_RDONLY_CLOEXEC = 0o2000000;
const CHUNK_BYTES = 16_384;
/** Nothing of interest is longer; /proc/kallsyms and the like are not read. */
const BYTES_MAX = 4 << 20;
const LINK_BYTES_MAX = 4096;

export interface HostFiles {
  /** Whole text, undefined when it cannot be read. */
  text(path: string): string | undefined;
  bytes(path: string): Uint8Array | undefined;
  /** Target of a symbolic link. */
  link(path: string): string | undefined;
}

export function openHostFiles(libc: Libc): HostFiles {
  const decoder = new TextDecoder();

  function bytes(path: string): Uint8Array | undefined {
    const fd = libc.call.open(cString(path), O_RDONLY_CLOEXEC, 0);
    if (fd < 0) return undefined;
    try {
      return readAll(libc, fd);
    } finally {
      libc.call.close(fd);
    }
  }

  return {
    bytes,
    text(path) {
      const read = bytes(path);
      return read === undefined ? undefined : decoder.decode(read);
    },
    link(path) {
      const target = new Uint8Array(LINK_BYTES_MAX);
      const got = Number(libc.call.readlink(cString(path), target, BigInt(LINK_BYTES_MAX)));
      return got < 0 ? undefined : decoder.decode(target.subarray(0, got));
    },
  };
}

/** Bytes of a descriptor up to its end or an error, at most 4 MiB. */
export function readAll(libc: Libc, fd: number): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  while (total < BYTES_MAX) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const got = Number(libc.call.read(fd, chunk, BigInt(CHUNK_BYTES)));
    if (got <= 0) break;
    chunks.push(chunk.subarray(0, got));
    total += got;
  }
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const all = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
