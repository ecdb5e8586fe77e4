// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { blindNow } from "./blind_now.ts";

const row = (state: string) => `   0: 0100007F:1F90 0100007F:D2F0 ${state} 00000000:00000000\n`;
const host: Readonly<Record<string, string>> = {
  "/proc/7/status": "Name:\tdb\nFDSize:\t64\n",
  "/proc/7/fd/9": "anon_inode:[io_uring]",
  "/proc/8/status": "Name:\tweb\nFDSize:\t64\n",
  "/proc/8/fd/9": "socket:[1234]",
  "/proc/net/tcp": `  sl  local_address rem_address st\n${row("01")}${row("0A")}${row("01")}`,
};
const filesOf = (known: Readonly<Record<string, string>>) => ({
  text: (path: string) => known[path],
  link: (path: string) => known[path],
});

Deno.test("doctor: who uses io_uring, and how many connections are open already", () => {
  const processes = [{ tgid: 7, comm: "db" }, { tgid: 8, comm: "web" }, { tgid: 9, comm: "gone" }];
  const [ring, open, ...others] = blindNow(processes, filesOf(host));
  assert.equal(ring, "io_uring is used here by db (7)");
  assert.match(open ?? "", /^2 ends of TCP connections are open now/);
  assert.deepEqual(others, []);
  assert.deepEqual(blindNow([], filesOf({})), []);
});
