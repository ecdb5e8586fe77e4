// SPDX-License-Identifier: Apache-2.0
// Life of sockets as the kernel programs tell it: older ones, ends, names, ways without a buffer,
// writers that race.

import assert from "node:assert/strict";
import { type Child, startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { type DataRecord, watch } from "./kernel_watch.ts";

const NEEDS = ["bpf", "netns", "python"] as const;
const PATHS = ["fast", "portable"] as const;

/** Runs `script` in a namespace of its own; `ready` polls what it has printed. */
async function withScript(
  script: string,
  body: (child: Child) => Promise<void>,
  ready?: (child: Child) => boolean,
): Promise<void> {
  await using netns = await createNetns();
  await using child = await startChild("python3", {
    args: ["-u", "-c", script],
    netns: netns.name,
    ...(ready === undefined ? {} : { ready }),
  });
  await body(child);
}

async function ended(child: Child): Promise<void> {
  const { code } = await child.exited;
  assert.equal(code, 0, child.stderr());
}

const OLDER = `
import signal, socket
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001))
b, _ = listener.accept()
a.sendall(b"before"); b.recv(100)
u, v = socket.socketpair()
u.send(b"before"); v.recv(100)
print("ready")
signal.sigwait([signal.SIGUSR1])
a.sendall(b"after"); b.recv(100)
b.sendall(b"answer"); a.recv(100)
u.send(b"unix after"); v.recv(100)
`;

for (const path of PATHS) {
  e2e(
    `kernel: ${path} path picks up older connections`,
    { needs: NEEDS },
    () =>
      withScript(OLDER, async (child) => {
        using seen = watch({ path });
        Deno.kill(child.pid, "SIGUSR1");
        await ended(child);
        await seen.untilExit(child.pid);
        const told = seen.dataOf(child.pid).map((r) =>
          `${r.direction} role ${r.role} joined ${r.joined} @${r.offset} ${r.payload}`
        );
        assert.deepEqual(told, [
          "out role 1 joined true @0 after",
          "in role 2 joined true @0 after",
          "out role 2 joined true @0 answer",
          "in role 1 joined true @0 answer",
          "out role 0 joined true @0 unix after",
          "in role 0 joined true @0 unix after",
        ]);
        const tcp = seen.dataOf(child.pid).filter((r) => r.family === 2);
        assert.equal(tcp[0]?.seq, tcp[1]?.seq, "both ends agree on the sequence number");
        assert.equal(tcp[2]?.seq, tcp[3]?.seq);
        const seed = seen.capture.processes.find((p) => p.tgid === child.pid);
        assert.equal(seed?.comm, "python3");
        assert.equal(seed?.argv[1], "-u");
        assert.match(seed?.exe ?? "", /python3/);
      }, (child) => child.stdout().includes("ready")),
  );
}

const ENDS = `
import os, socket, struct
def pair(port):
    listener = socket.create_server(("127.0.0.1", port))
    a = socket.create_connection(("127.0.0.1", port))
    b, _ = listener.accept()
    listener.close()
    return a, b
a, b = pair(7001)
a.sendall(b"orderly"); b.recv(100); a.close(); b.recv(100); b.close()
a, b = pair(7002)
a.sendall(b"reset"); b.recv(100)
a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); a.close()
try: b.recv(100)
except ConnectionResetError: pass
b.close()
a, b = pair(7003)
a.sendall(b"unread"); b.shutdown(socket.SHUT_WR); a.recv(100); a.close(); b.recv(3); b.recv(3)
b.recv(3); b.close()
`;

for (const path of PATHS) {
  e2e(`kernel: ${path} path tells how connections end`, { needs: NEEDS }, async () => {
    using seen = watch({ path });
    await withScript(ENDS, async (child) => {
      await ended(child);
      await seen.untilExit(child.pid);
      const closes = () => seen.others.filter((r) => r.kind === "close" && r.tgid === child.pid);
      await seen.until("six ends", () => closes().length >= 6);
      const told = closes().map(({ fields: f }) => {
        const port = Math.min(Number(f["localPort"]), Number(f["peerPort"]));
        const bytes = `in ${f["bytesIngress"]} out ${f["bytesEgress"]}`;
        return `${port} role ${f["role"]} reason ${f["reason"]} ${bytes}`;
      });
      assert.deepEqual(told.toSorted(), [
        "7001 role 1 reason 0 in 0 out 7",
        "7001 role 2 reason 0 in 7 out 0",
        "7002 role 1 reason 1 in 0 out 5",
        "7002 role 2 reason 1 in 5 out 0",
        "7003 role 1 reason 0 in 0 out 6",
        "7003 role 2 reason 0 in 6 out 0",
      ]);
      assertNothingAfterClose(seen.data, seen.others.filter((r) => r.kind === "close"));
    });
  });
}

function assertNothingAfterClose(
  data: readonly DataRecord[],
  closes: readonly { fields: Readonly<Record<string, number | bigint | string>> }[],
): void {
  for (const { fields } of closes) {
    const late = data.filter((r) =>
      r.cookie === fields["cookie"] && r.emitNs > BigInt(fields["emitNs"] ?? 0)
    );
    assert.deepEqual(late, []);
  }
}

const NAMES = `
import os, socket, tempfile
path = tempfile.mkdtemp() + "/door"
listener = socket.socket(socket.AF_UNIX); listener.bind(path); listener.listen()
for i in range(2):
    c = socket.socket(socket.AF_UNIX); c.connect(path)
    d, _ = listener.accept()
    c.sendall(b"ab"); c.sendall(b"cde"); d.recv(4); d.recv(4); c.close(); d.recv(4); d.close()
os.unlink(path)
`;

for (const path of PATHS) {
  e2e(`kernel: ${path} path names unix sockets and their peers`, { needs: NEEDS }, async () => {
    using seen = watch({ path });
    await withScript(NAMES, async (child) => {
      await ended(child);
      await seen.untilExit(child.pid);
      const data = seen.dataOf(child.pid);
      const told = data.map((r) => `${r.direction} role ${r.role} @${r.offset} ${r.payload}`);
      const once = ["out role 1 @0 ab", "out role 1 @2 cde", "in role 2 @0 abcd", "in role 2 @4 e"];
      assert.deepEqual(told, [...once, "in role 2 @5 ", ...once, "in role 2 @5 "]);
      for (const half of [data.slice(0, 5), data.slice(5)]) {
        assert.equal(half[0]?.peerCookie, half[2]?.cookie, "the peer's cookie is the peer's");
      }
      assert.equal(new Set(data.map((r) => r.cookie)).size, 4, "no two sockets share a cookie");
      const names = seen.others.filter((r) => r.kind === "unix" && r.tgid === child.pid);
      assert.equal(names.length, 4, "each socket is named once");
      assert.match(String(names[0]?.fields["peer"]), /^\/.*\/door\0/);
      assert.match(String(names[1]?.fields["local"]), /^\/.*\/door\0/);
    });
  });
}

const SENDFILE = `
import os, socket, tempfile
listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001)); b, _ = listener.accept()
f = tempfile.TemporaryFile(); f.write(b"f" * 700); f.flush()
os.sendfile(a.fileno(), f.fileno(), 0, 700)
b.recv(700, socket.MSG_WAITALL)
r, w = os.pipe(); os.write(w, b"p" * 90)
os.splice(r, b.fileno(), 90)
a.recv(90, socket.MSG_WAITALL)
`;

e2e("kernel: sendfile and splice are seen without bytes", { needs: NEEDS }, async () => {
  using seen = watch({ path: "fast" });
  await withScript(SENDFILE, async (child) => {
    if ((await child.exited).code !== 0 && child.stderr().includes("splice")) {
      console.log("this Python has no os.splice");
    }
    await seen.untilExit(child.pid);
    const out = seen.dataOf(child.pid).filter((r) => r.direction === "out");
    const told = out.map((r) => `via ${r.via} ${r.length} ${r.payload} ${r.flags.join()}`);
    assert.equal(told[0], "via 1 700  seqValid,clipped,noBuffer");
    if (told.length > 1) assert.equal(told[1], "via 2 90  seqValid,clipped,noBuffer");
    const read = seen.dataOf(child.pid).find((r) => r.direction === "in");
    assert.equal(read?.payload, "f".repeat(700));
  });
});

/** Four processes write messages of their own names to one connection; a reader takes it all. */
const RACE = `
import os, socket
listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001)); b, _ = listener.accept()
for name in range(4):
    if os.fork() == 0:
        for i in range(5000): a.send(b"%d:%07d;" % (name, i))
        os._exit(0)
total, parts = 4 * 5000 * 10, []
while sum(map(len, parts)) < total: parts.append(b.recv(65536))
for name in range(4): os.wait()
open("/dev/stdout", "wb").write(b"".join(parts))
`;

for (const path of PATHS) {
  e2e(`kernel: ${path} path gives no wrong sequence number when writers race`, {
    needs: NEEDS,
  }, async () => {
    using seen = watch({ path, pendingBytesMax: 1 << 24 });
    await withScript(RACE, async (child) => {
      await seen.untilExit(child.pid);
      await ended(child);
      const read = seen.dataOf(child.pid).find((r) => r.direction === "in" && r.family === 2);
      const out = seen.data.filter((r) => r.direction === "out" && r.peer === read?.local);
      assert.equal(out.length + Number(seen.capture.drops().ring_full), 20_000);
      const stream = child.stdout();
      const exact = out.filter((r) => r.flags.includes("seqValid"));
      const at = (r: DataRecord) => r.seq - (read?.seq ?? 0);
      const wrong = exact.filter((r) => stream.slice(at(r), at(r) + 10) !== r.payload);
      console.log(`${exact.length} of ${out.length} sends have an exact number`);
      assert.deepEqual(wrong.slice(0, 3), []);
      assert.ok(exact.length > out.length / 2);
    });
  });
}
