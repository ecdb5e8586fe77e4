// SPDX-License-Identifier: Apache-2.0
// Callers that come by other doors: 32-bit programs, and io_uring. The fast path sees both.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { watch } from "./kernel_watch.ts";

/**
 * A static i386 program: socketcall(socketpair); write "compat" to one end; readv it at the other
 * into 2 + 14 bytes; socketcall(send) "comp" and sendmsg "com", "pat" back; recvfrom both.
 */
const I386_PROGRAM =
  "f0VMRgEBAQAAAAAAAAAAAAIAAwABAAAAVIAECDQAAABgAQAAAAAAADQAIAABACgAAwACAAEAAABUAAAAVIAECFSA" +
  "BAj4AAAA+AAAAAcAAAAEAAAAaDSBBAhqAGoBagG4ZgAAALsIAAAAieHNgLgEAAAAix00gQQIufKABAi6BgAAAM2A" +
  "uJEAAACLHTiBBAi5+IAECLoCAAAAzYBqAGoEaPKABAj/NTiBBAi4ZgAAALsJAAAAieHNgLhyAQAAix04gQQIuQiB" +
  "BAgx0s2AuHMBAACLHTSBBAi5PIEECLoQAAAAMfYx/zHtzYC4AQAAADHbzYBjb21wYXQ8gQQIAgAAAD6BBAgOAAAA" +
  "AAAAAAAAAAAkgQQIAgAAAAAAAAAAAAAAAAAAAPKABAgDAAAA9YAECAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" +
  "AAAALnNoc3RydGFiAC50ZXh0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALAAAA" +
  "AQAAAAcAAABUgAQIVAAAAPgAAAAAAAAAAAAAAAQAAAAAAAAAAQAAAAMAAAAAAAAAAAAAAEwBAAARAAAAAAAAAAAA" +
  "AAABAAAAAAAAAA==";

const CALL = { recvfrom: 3, readv: 2, write: 6, sendto: 8, sendmsg: 9 } as const;

e2e("kernel: the calls of 32-bit programs are read by their own layout", {
  needs: ["bpf"],
}, async () => {
  const folder = await Deno.makeTempDir();
  using _folder = { [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
  const program = `${folder}/i386`;
  await Deno.writeFile(program, Uint8Array.fromBase64(I386_PROGRAM), { mode: 0o755 });
  using seen = watch({ path: "fast" });
  await using child = await startChild(program);
  const { code } = await child.exited;
  if (code !== 0) return console.log("SKIP: this kernel runs no 32-bit programs");
  await seen.untilExit(child.pid);
  const data = seen.dataOf(child.pid);
  assert.deepEqual(
    data.map((r) => [r.direction, r.call, r.payload]),
    [
      ["out", CALL.write, "compat"],
      ["in", CALL.readv, "compat"],
      ["out", CALL.sendto, "comp"],
      ["out", CALL.sendmsg, "compat"],
      ["in", CALL.recvfrom, "compcompat"],
    ],
  );
  assert.ok(data.every((r) => r.flags.includes("compat")));
});

/** Sends three messages and reads them by io_uring, one at a time, telling the number of each. */
const IO_URING = `
import ctypes, mmap, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
params = ctypes.create_string_buffer(120)
ring = libc.syscall(425, 4, params)
if ring < 0: sys.exit(3)
sq_off, cq_off = 40, 80
u32 = lambda at: struct.unpack_from("I", params, at)[0]
rings = mmap.mmap(ring, 4096, offset=0)
sqes = mmap.mmap(ring, 4096, offset=0x10000000)
def submit(opcode, fd, buffer):
    tail_at = u32(sq_off + 4)
    tail = struct.unpack_from("I", rings, tail_at)[0]
    index = tail & 3
    address = ctypes.addressof(buffer)
    struct.pack_into("BBHiQQIIQ24x", sqes, index * 64, opcode, 0, 0, fd, 0, address,
                     ctypes.sizeof(buffer), 0, 0)
    struct.pack_into("I", rings, u32(sq_off + 24) + index * 4, index)
    struct.pack_into("I", rings, tail_at, tail + 1)
    assert libc.syscall(426, ring, 1, 1, 1, None, 0) == 1
listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001)); b, _ = listener.accept()
SEND, RECEIVE = 26, 27
for i in range(3):
    submit(SEND, a.fileno(), ctypes.create_string_buffer(b"message %d" % i, 9))
    submit(RECEIVE, b.fileno(), ctypes.create_string_buffer(100))
    time.sleep(0.2)
`;

e2e("kernel: io_uring is seen, the bytes of its sends once asked for", {
  needs: ["bpf", "netns", "python"],
}, async () => {
  await using netns = await createNetns();
  using seen = watch({ path: "fast" });
  await using child = await startChild("python3", { args: ["-c", IO_URING], netns: netns.name });
  let ended = false;
  child.exited.then(() => ended = true);
  await seen.until("the end", () => ended);
  if ((await child.exited).code === 3) return console.log("SKIP: io_uring is not allowed here");
  assert.equal((await child.exited).code, 0, child.stderr());
  await seen.untilExit(child.pid);
  const ring = 3;
  const data = seen.dataOf(child.pid).filter((r) => r.via === ring);
  const told = data.map((r) => `${r.direction} ${r.length}@${r.offset} ${r.payload}`);
  assert.equal(told[0], "out 9@0 ", "the first send asks");
  assert.deepEqual(told.slice(1), [
    "in 9@0 ",
    "out 9@9 message 1",
    "in 9@9 ",
    "out 9@18 message 2",
    "in 9@18 ",
  ]);
  assert.ok(data.every((r) => r.flags.includes("seqValid")));
});
