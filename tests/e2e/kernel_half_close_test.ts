// SPDX-License-Identifier: Apache-2.0
// Who has stopped writing may still be answered: the end of one stream is not the end of both.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { watch } from "./kernel_watch.ts";

const NEEDS = ["bpf", "netns", "python"] as const;

const ASK_AND_CLOSE = `
import socket
listener = socket.create_server(("127.0.0.1", 7001))
tcp = socket.create_connection(("127.0.0.1", 7001)), listener.accept()[0]
for client, server in [socket.socketpair(), tcp]:
    client.sendall(b"ask"); client.shutdown(socket.SHUT_WR)
    server.recv(100); server.recv(100)
    server.sendall(b"answer"); server.close()
    client.recv(100); client.recv(100); client.close()
`;

for (const path of ["fast", "portable"] as const) {
  e2e(`kernel: ${path} path tells the end of one stream from that of both`, {
    needs: NEEDS,
  }, async () => {
    using seen = watch({ path });
    await using netns = await createNetns();
    await using child = await startChild("python3", {
      args: ["-u", "-c", ASK_AND_CLOSE],
      netns: netns.name,
    });
    assert.equal((await child.exited).code, 0, child.stderr());
    await seen.untilExit(child.pid);
    const told = (family: number) =>
      seen.dataOf(child.pid).filter((r) => r.family === family).map((r) =>
        [r.direction, r.payload, ...r.flags.filter((flag) => flag === "eof" || flag === "over")]
          .join(" ").trim()
      );
    const half = ["out ask", "in ask", "in  eof", "out answer", "in answer"];
    assert.deepEqual(told(1), [...half, "in  eof over"]);
    assert.deepEqual(told(2).slice(0, 5), half);
  });
}
