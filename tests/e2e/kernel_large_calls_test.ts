// SPDX-License-Identifier: Apache-2.0
// Large calls come in several records, without a byte missing or told twice.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { type DataRecord, watch } from "./kernel_watch.ts";

const NEEDS = ["bpf", "netns", "python"] as const;
const BYTES = 200_000;
const RECORD_BYTES = 16_384;
const CALL_BYTES = 262_144;

/** What the child sends: from every few bytes it can be told where they stand. */
const PATTERN = Array.from({ length: 60_000 }, (_, i) => `${i},`).join("");

/**
 * At each SIGUSR1 the child sends to itself over TCP: 200,000 bytes in one call, the same in 500
 * uneven parts by one call, and 300,000 bytes in one call.
 */
const SENDS = `
import signal, socket, threading
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
pattern = "".join(f"{i}," for i in range(60000)).encode()
listener = socket.create_server(("127.0.0.1", 7001))
a = socket.create_connection(("127.0.0.1", 7001)); b, _ = listener.accept()
def read(size):
    while size > 0:
        size -= len(b.recv(size, socket.MSG_WAITALL))
def both(size, send):
    reader = threading.Thread(target=read, args=[size]); reader.start()
    assert send() == size
    reader.join()
a.sendall(b"x"); read(1)
parts, at = [], 0
for i in range(500):
    parts.append(pattern[at:at + 401 + i % 2 - 2 * (i % 3)]); at += len(parts[-1])
parts[-1] += pattern[at:200000]
print("ready")
while signal.sigwait([signal.SIGUSR1, signal.SIGTERM]) == signal.SIGUSR1:
    both(200000, lambda: a.send(pattern[:200000]))
    both(200000, lambda: a.sendmsg(parts))
    both(300000, lambda: a.send(pattern[:300000]))
    a.send(b"y"); read(1)
`;

const bytesOf = (records: readonly DataRecord[]) => records.reduce((n, r) => n + r.length, 0);

/** Each record starts where the one before it ended, in both ways of counting. */
function assertContiguous(records: readonly DataRecord[]): void {
  records.forEach((record, i) => {
    const before = records[i - 1];
    if (before === undefined) return;
    assert.equal(record.offset, before.offset + before.length);
    assert.equal(record.seq, (before.seq + before.length) % 2 ** 32);
  });
}

for (const path of ["fast", "portable"] as const) {
  e2e(`kernel: ${path} path tells large calls in pieces`, { needs: NEEDS }, async () => {
    await using netns = await createNetns();
    using seen = watch({ path, secondBytesMax: 64 * 1024 * 1024 });
    await using child = await startChild("python3", {
      args: ["-u", "-c", SENDS],
      netns: netns.name,
      ready: (c) => c.stdout().includes("ready"),
    });
    await seen.until("both ends", () => seen.dataOf(child.pid).length >= 2);
    const cookies = new Set(seen.dataOf(child.pid).map((r) => r.cookie));
    assert.equal(cookies.size, 2);
    for (const cookie of cookies) seen.capture.setVerdict(cookie, "whole");
    seen.data.length = 0;
    Deno.kill(child.pid, "SIGUSR1");
    const way = (direction: "in" | "out") =>
      seen.dataOf(child.pid).filter((r) => r.direction === direction);
    const total = 2 * BYTES + 300_000 + 1;
    await seen.until("all", () => bytesOf(way("in")) === total && bytesOf(way("out")) === total);
    const text = PATTERN.slice(0, BYTES);
    const sent = way("out");
    assertContiguous(sent);
    assertContiguous(way("in"));
    const pieces = Math.ceil(BYTES / RECORD_BYTES);
    assert.equal(sent.slice(0, pieces).map((r) => r.payload).join(""), text);
    const parts = sent.findIndex((r) => r.offset === 1 + 2 * BYTES);
    assert.equal(sent.slice(pieces, parts).map((r) => r.payload).join(""), text, "of a vector");
    assert.ok(sent.slice(0, parts).every((r) => r.payload.length === r.length));
    const large = sent.slice(parts, -1);
    assert.equal(large.length, CALL_BYTES / RECORD_BYTES);
    assert.equal(large.map((r) => r.payload).join(""), PATTERN.slice(0, CALL_BYTES));
    assert.equal(large.at(-1)?.length, RECORD_BYTES + 300_000 - CALL_BYTES, "has the rest");
    assert.ok(large.at(-1)?.flags.includes("clipped"));
    assert.deepEqual(new Set(large.map((r) => r.emitNs)).size, 1);
    const read = way("in").filter((r) => r.payload.length === r.length);
    for (const r of read.slice(0, -1)) {
      const at = r.offset - 1;
      const from = at < 2 * BYTES ? at % BYTES : at - 2 * BYTES;
      const there = PATTERN.slice(0, at < 2 * BYTES ? BYTES : 300_000);
      assert.equal(r.payload, there.slice(from, from + r.length));
    }
  });
}
