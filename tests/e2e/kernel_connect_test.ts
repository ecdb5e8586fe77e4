// SPDX-License-Identifier: Apache-2.0
// What the kernel programs tell when a connection is opened.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { watch } from "./kernel_watch.ts";

/** Opens a connection without waiting for it, in the turn after a wait; sends once it is open. */
const OPENS = `
import select, socket
listener = socket.create_server(("127.0.0.1", 7001))
a, b = socket.socketpair()
a.send(b"x"); b.recv(1)
select.select([], [], [], 0.001)
client = socket.socket()
client.setblocking(False)
client.connect_ex(("127.0.0.1", 7001))
select.select([], [client], [])
client.send(b"late")
listener.accept()[0].recv(10)
`;

for (const path of ["fast", "portable"] as const) {
  e2e(
    `kernel: ${path} path tells who opens a connection, and in which turn`,
    { needs: ["bpf", "netns", "python"] },
    async () => {
      using seen = watch({ path });
      await using netns = await createNetns();
      await using child = await startChild("python3", {
        args: ["-u", "-c", OPENS],
        netns: netns.name,
      });
      const { code } = await child.exited;
      assert.equal(code, 0, child.stderr());
      await seen.untilExit(child.pid);
      const opened = seen.others.filter(({ kind, tgid }) =>
        kind === "connect" && tgid === child.pid
      );
      const sent = seen.dataOf(child.pid).find(({ payload }) => payload === "late");
      assert.equal(opened.length, 1);
      const { cookie, peerPort, tid, turn, emitNs } = opened[0]?.fields ?? {};
      const expected = { cookie: sent?.cookie, peerPort: 7001, tid: sent?.tid };
      assert.deepEqual({ cookie, peerPort, tid }, expected);
      assert.equal(Number(turn) + 1, sent?.turn);
      assert.ok(Number(emitNs) < Number(sent?.startNs));
    },
  );
}
