// SPDX-License-Identifier: Apache-2.0
// Reads files of /proc and /sys through the C library: Deno refuses those to anything short of
// all permissions.

import type { Libc } from "./libc.ts";
import { cString } from "./libc.ts";

const O_RDONLY_CLOEXEC = 0o2000000;
const CHUNK_BYTES = 16_384;
/** No file of interest is longer; /proc/kallsyms and the like are not read. */
const FILE_BYTES_MAX = 1 << 20;
const LINK_BYTES_MAX = 4096;
/** Offset of d_name in struct dirent64. */
const NAME_AT = 19;

export interface HostFiles {
  /** Whole text, undefined when it cannot be read. */
  text(path: string): string | undefined;
  bytes(path: string): Uint8Array | undefined;
  /** Target of a symbolic link. */
  link(path: string): string | undefined;
  /** Names in a directory without "." and "..", in no order. */
  list(path: string): string[];
}

export function openHostFiles(libc: Libc): HostFiles {
  const chunk = new Uint8Array(CHUNK_BYTES);
  const decoder = new TextDecoder();

  function bytes(path: string): Uint8Array | undefined {
    const fd = libc.call.open(cString(path), O_RDONLY_CLOEXEC, 0);
    if (fd < 0) return undefined;
    try {
      let all = new Uint8Array(0);
      while (all.length < FILE_BYTES_MAX) {
        const got = Number(libc.call.read(fd, chunk, BigInt(CHUNK_BYTES)));
        if (got < 0) return undefined;
        if (got === 0) break;
        const longer = new Uint8Array(all.length + got);
        longer.set(all);
        longer.set(chunk.subarray(0, got), all.length);
        all = longer;
      }
      return all;
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
    list(path) {
      const directory = libc.call.opendir(cString(path));
      if (directory === null) return [];
      const names: string[] = [];
      for (;;) {
        const entry = libc.call.readdir(directory);
        if (entry === null) break;
        const name = new Deno.UnsafePointerView(entry).getCString(NAME_AT);
        if (name !== "." && name !== "..") names.push(name);
      }
      libc.call.closedir(directory);
      return names;
    },
  };
}
