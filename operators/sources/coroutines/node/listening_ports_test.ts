// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { listeningPorts } from "./listening_ports.ts";

const LINES =
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:240D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1
   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 103 1
   3: 0100007F:1F90 0100007F:E000 01 00000000:00000000 00:00000000 00000000     0        0 104 1
   4: 0A00000A:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 105 1
`;

Deno.test("node: ports on which a process listens, none of others and no connections", () => {
  const inodes = [0, 101, 104, 102, 105];
  const files = {
    text: (path: string) =>
      ({ "/proc/9/net/tcp": LINES, "/proc/9/status": "Name:\tnode\nFDSize:\t64\n" })[path],
    link: (path: string) => {
      const fd = Number(path.split("/").at(-1));
      return fd in inodes ? `socket:[${inodes[fd]}]` : undefined;
    },
  };
  assert.deepEqual(listeningPorts(9, files), [9229, 8080]);
  assert.deepEqual(listeningPorts(10, files), []);
});
