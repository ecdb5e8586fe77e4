// SPDX-License-Identifier: Apache-2.0
// A call into the kernel or into a native library that failed, with its errno.

const NAMES: Readonly<Record<number, string>> = {
  1: "EPERM, not permitted",
  2: "ENOENT, no such file or object",
  3: "ESRCH, no such process",
  7: "E2BIG, too big",
  9: "EBADF, bad file descriptor",
  11: "EAGAIN, try again",
  12: "ENOMEM, out of memory",
  13: "EACCES, access denied",
  14: "EFAULT, bad address",
  16: "EBUSY, busy",
  17: "EEXIST, exists already",
  19: "ENODEV, no such device",
  20: "ENOTDIR, not a directory",
  22: "EINVAL, invalid argument",
  24: "EMFILE, too many open files",
  28: "ENOSPC, no space",
  30: "EROFS, read-only file system",
  95: "EOPNOTSUPP, not supported",
  524: "ENOTSUPP, not supported by this kernel",
};

/** `message` is one sentence and tells the remedy where there is one. */
export class BpfError extends Error {
  override readonly name = "BpfError";

  /** `errno` is positive, 0 when the failure has none; `call` is the C function. */
  constructor(message: string, readonly errno: number, readonly call: string) {
    super(message);
  }
}

/** "EPERM, not permitted" for 1. */
export function errnoText(errno: number): string {
  return NAMES[errno] ?? `errno ${errno}`;
}
