// SPDX-License-Identifier: Apache-2.0
// Asks a process to open its debugger, and talks to it, on the loopback of its own network.
//
// Through the C library: the tracer has no permission to use the network, and a connection within
// another network namespace is beyond what Deno can make.

import { checked, cString, type Libc } from "../libc.ts";

export interface DebuggerPorts {
  /** SIGUSR1, at which Node opens its debugger. False: there is no such process. */
  ask(tgid: number): boolean;
  /** To a port of 127.0.0.1 as the process sees it. */
  connect(tgid: number, port: number): PortConnection;
}

export interface PortConnection extends Disposable {
  /** False: nothing was written yet, because it is not connected; to be tried again. */
  write(bytes: Uint8Array<ArrayBuffer>): boolean;
  /** What has come: empty when nothing has, null when the other end has closed. */
  read(): Uint8Array<ArrayBuffer> | null;
}

const SIGUSR1 = 10;
const AF_INET = 2;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
const CLONE_NEWNET = 0x40000000;
const O_RDONLY_CLOEXEC = 0o2000000;
const READ_BYTES = 65_536;

const ERRNO = { again: 11, inProgress: 115, notConnected: 107 } as const;

export function debuggerPorts(libc: Libc): DebuggerPorts {
  const { call } = libc;
  const isLater = () => {
    const errno = libc.errno();
    return errno === ERRNO.again || errno === ERRNO.notConnected || errno === ERRNO.inProgress;
  };
  return {
    ask: (tgid) => call.kill(tgid, SIGUSR1) === 0,
    connect(tgid, port) {
      const doing = `connect to the debugger of process ${tgid}`;
      const fd = socketWithin(libc, tgid, doing);
      const address = new DataView(new ArrayBuffer(16));
      address.setUint16(0, AF_INET, true);
      address.setUint16(2, port);
      address.setUint32(4, 0x7f000001);
      if (call.connect(fd, new Uint8Array(address.buffer), 16) < 0 && !isLater()) {
        call.close(fd);
        checked(libc, -1, "connect", doing);
      }
      return {
        write(bytes) {
          const wrote = Number(call.write(fd, bytes, BigInt(bytes.length)));
          if (wrote === bytes.length) return true;
          if (wrote < 0 && isLater()) return false;
          throw new Error(`Cannot ${doing}: it took ${wrote} of ${bytes.length} bytes`);
        },
        read() {
          const room = new Uint8Array(READ_BYTES);
          const got = Number(call.read(fd, room, BigInt(room.length)));
          if (got > 0) return room.subarray(0, got);
          return got < 0 && isLater() ? room.subarray(0, 0) : null;
        },
        [Symbol.dispose]: () => void call.close(fd),
      };
    },
  };
}

/** A socket stays in the network in which it was made; the thread comes back from there at once. */
function socketWithin(libc: Libc, tgid: number, doing: string): number {
  const { call } = libc;
  const home = call.open(cString("/proc/thread-self/ns/net"), O_RDONLY_CLOEXEC, 0);
  const there = call.open(cString(`/proc/${tgid}/ns/net`), O_RDONLY_CLOEXEC, 0);
  try {
    checked(libc, there, "open", doing);
    checked(libc, home, "open", doing);
    checked(libc, call.setns(there, CLONE_NEWNET), "setns", doing);
    const fd = call.socket(AF_INET, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
    checked(libc, call.setns(home, CLONE_NEWNET), "setns", "return to the tracer's own network");
    return checked(libc, fd, "socket", doing);
  } finally {
    if (home >= 0) call.close(home);
    if (there >= 0) call.close(there);
  }
}
