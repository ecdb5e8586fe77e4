// SPDX-License-Identifier: Apache-2.0
// Both capture paths watch one program at once, and must tell the same of every message.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { type DataRecord, type Watch, watch } from "./kernel_watch.ts";

/** One process that talks to itself over each kind of socket, with each of the ten calls. */
const TALK = `
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)

class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
class msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint),
                ("iov", ctypes.POINTER(iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]
class mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", msghdr), ("len", ctypes.c_uint)]

def mmsg(buffers):
    vector = (mmsghdr * len(buffers))()
    for entry, buffer in zip(vector, buffers):
        entry.hdr.iov = ctypes.pointer(iovec(ctypes.addressof(buffer), ctypes.sizeof(buffer)))
        entry.hdr.iovlen = 1
    return vector

def with_names(vector):
    for entry in vector:
        names.append(ctypes.create_string_buffer(28))
        entry.hdr.name, entry.hdr.namelen = ctypes.addressof(names[-1]), 28
    return vector
names = []

listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001))
b, _ = listener.accept()
a.sendall(b"sendto")
b.recv(100)
os.write(b.fileno(), b"write")
os.read(a.fileno(), 100)
os.writev(a.fileno(), [b"one ", b"", b"two ", b"three"])
os.readv(b.fileno(), [bytearray(3), bytearray(100)])
b.sendmsg([b"single segment"])
a.recvmsg(100)
a.sendmsg([b"x" * 300, b"y" * 300])
b.recvmsg_into([bytearray(200), bytearray(1000)])
a.sendall(b"peeked")
b.recv(6, socket.MSG_PEEK)
b.recv(3)
b.recv(3)
a.setblocking(False)
try: a.recv(10)
except BlockingIOError: pass
a.setblocking(True)
a.sendall(b"z" * 5000)
b.recv(5000, socket.MSG_WAITALL)
many = [ctypes.create_string_buffer(b"first", 5), ctypes.create_string_buffer(b"second!", 7)]
assert libc.sendmmsg(a.fileno(), mmsg(many), 2, 0) == 2
b.recv(12, socket.MSG_WAITALL)

u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 7002))
v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); v.bind(("127.0.0.1", 7003))
v.sendto(b"to you", ("127.0.0.1", 7002))
u.recvfrom(100)
u.sendto(b"and back", ("127.0.0.1", 7003))
v.recvfrom(100)
v.sendto(b"longer than the buffer", ("127.0.0.1", 7002))
u.recvfrom(6)
v.connect(("127.0.0.1", 7002))
dgrams = [ctypes.create_string_buffer(b"d%d" % i, 2) for i in range(5)]
assert libc.sendmmsg(v.fileno(), mmsg(dgrams), 5, 0) == 5
room = [ctypes.create_string_buffer(10) for i in range(8)]
assert libc.recvmmsg(u.fileno(), with_names(mmsg(room)), 8, socket.MSG_DONTWAIT, None) == 5
w6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); w6.bind(("::1", 7004))
x6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); x6.bind(("::1", 7005))
x6.sendto(b"six", ("::1", 7004))
w6.recvfrom(100)

named = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); named.bind("\\0talk"); named.listen()
c = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); c.connect("\\0talk")
d, _ = named.accept()
c.sendall(b"unix ask")
d.recv(100)
d.sendall(b"unix answer")
c.recv(100)
p, q = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
p.send(b"packet"); q.recv(100); p.close(); q.recv(100)

a.shutdown(socket.SHUT_WR)
b.recv(100)
b.close()
a.recv(100)
a.close()
`;

/** What both paths must agree on, in words; cookies and numbers relative to each socket's first. */
function describe(records: readonly DataRecord[]): string[] {
  const sockets = new Map<bigint, { index: number; seqs: Map<string, number> }>();
  const indexOf = (cookie: bigint) => {
    const known = sockets.get(cookie) ?? { index: sockets.size, seqs: new Map<string, number>() };
    sockets.set(cookie, known);
    return known;
  };
  return records.map((r) => {
    const { index, seqs } = indexOf(r.cookie);
    const base = seqs.get(r.direction) ?? r.seq;
    seqs.set(r.direction, base);
    const flags = r.flags.filter((flag) => flag !== "startKnown").join(",");
    const ends = `${r.local} > ${r.peer}`;
    return `#${index} ${r.direction} call ${r.call} fd ${r.fd} [${r.mmsgIndex}] role ${r.role} ` +
      `${ends} ${r.length}@${r.offset} seq+${r.seq - base} ${flags} ${JSON.stringify(r.payload)}`;
  });
}

async function talkUnder(...watches: Watch[]): Promise<DataRecord[][]> {
  await using netns = await createNetns();
  await using talk = await startChild("python3", { args: ["-c", TALK], netns: netns.name });
  const status = await talk.exited;
  assert.equal(status.code, 0, talk.stderr());
  for (const each of watches) await each.untilExit(talk.pid);
  return watches.map((each) => each.dataOf(talk.pid));
}

e2e("kernel: the fast and the portable path tell the same", {
  needs: ["bpf", "netns", "python"],
}, async () => {
  using fast = watch({ path: "fast" });
  using portable = watch({ path: "portable" });
  using hashed = watch({ path: "portable", threadsInHash: true });
  const [one = [], two = [], three = []] = await talkUnder(fast, portable, hashed);
  const expected = describe(one);
  assert.ok(expected.length > 40, expected.join("\n"));
  assert.deepEqual(describe(two), expected);
  assert.deepEqual(describe(three), expected);
  const tcp = one.filter((r) => r.family === 2 && r.type === 1);
  const seqs = (records: DataRecord[]) =>
    records.filter((r) => r.family === 2 && r.type === 1).map((r) => r.seq);
  assert.deepEqual(seqs(two), tcp.map((r) => r.seq), "exact sequence numbers");
  assert.ok(tcp.every((r) => r.flags.includes("seqValid")), "all of a single writer are exact");
});
