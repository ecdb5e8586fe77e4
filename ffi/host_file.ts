// SPDX-License-Identifier: Apache-2.0
// One file of the host, read at will: programs by /proc/PID/exe, which Deno does not let us open.

import { cString, type Libc } from "./libc.ts";

export interface HostFile extends Disposable {
  /** The same for all names and mounts of one file, another once it was written again. */
  readonly identity: string;
  /** Shorter than asked at the end of the file, or where it cannot be read. */
  read(at: number, bytes: number): Uint8Array<ArrayBuffer>;
}

const O_RDONLY_CLOEXEC = 0o2000000;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC = 0x7ff;
const STATX_BYTES = 256;

/** Undefined when it cannot be opened. */
export function openHostFile(libc: Libc, path: string): HostFile | undefined {
  const fd = libc.call.open(cString(path), O_RDONLY_CLOEXEC, 0);
  if (fd < 0) return undefined;
  return {
    identity: identityOf(libc, fd),
    read(at, bytes) {
      const room = new Uint8Array(Math.max(0, bytes));
      let got = 0;
      while (got < room.length) {
        const rest = room.subarray(got);
        const more = Number(libc.call.pread(fd, rest, BigInt(rest.length), BigInt(at + got)));
        if (more <= 0) break;
        got += more;
      }
      return room.subarray(0, got);
    },
    [Symbol.dispose]: () => void libc.call.close(fd),
  };
}

/** Device, inode, and times of the last change of contents and of all else. */
function identityOf(libc: Libc, fd: number): string {
  const stat = new DataView(new ArrayBuffer(STATX_BYTES));
  libc.call.statx(fd, cString(""), AT_EMPTY_PATH, STATX_BASIC, new Uint8Array(stat.buffer));
  const u32 = (at: number) => stat.getUint32(at, true);
  const u64 = (at: number) => stat.getBigUint64(at, true);
  const changed = `${u64(112)}.${u32(120)} ${u64(96)}.${u32(104)}`;
  return `${u32(136)}:${u32(140)} ${u64(32)} ${changed}`;
}
