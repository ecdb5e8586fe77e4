// SPDX-License-Identifier: Apache-2.0
// The filter of ports on datagram sockets that are not connected: they have no port until they
// send, and a peer per message.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { watch } from "./kernel_watch.ts";

const NEEDS = ["bpf", "netns", "python"] as const;

/** One client asks two servers in turn from one socket; only one of them listens at 7005. */
const ASK_TWO = `
import socket
def server(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", port)); return s
wanted, other = server(7005), server(7006)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for s, name in [(wanted, b"wanted"), (other, b"other"), (wanted, b"again")]:
    client.sendto(name, s.getsockname())
    asked, who = s.recvfrom(100)
    s.sendto(b"re " + asked, who)
    client.recvfrom(100)
`;

for (const path of ["fast", "portable"] as const) {
  e2e(
    `kernel: ${path} path filters each datagram by its own ports`,
    { needs: NEEDS },
    async () => {
      using seen = watch({ path, ports: [7005] });
      await using netns = await createNetns();
      await using child = await startChild("python3", {
        args: ["-u", "-c", ASK_TWO],
        netns: netns.name,
      });
      assert.equal((await child.exited).code, 0, child.stderr());
      await seen.untilExit(child.pid);
      const told = seen.dataOf(child.pid).map((r) => `${r.direction} ${r.payload}`);
      const both = (text: string) => [
        ...[`out ${text}`, `in ${text}`, `out re ${text}`, `in re ${text}`],
      ];
      assert.deepEqual(told, [...both("wanted"), ...both("again")]);
    },
  );
}
