// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { HostFiles } from "../../../ffi/host_files.ts";
import type { Connection } from "../../../model/connection.ts";
import { lossCounter } from "./loss_counter.ts";
import { readProcess } from "./read_process.ts";
import { verdictFeedback } from "./verdict_feedback.ts";

function filesOf(texts: Record<string, string>, links: Record<string, string> = {}): HostFiles {
  return {
    text: (path) => texts[path],
    bytes: (path) => texts[path] === undefined ? undefined : new TextEncoder().encode(texts[path]),
    link: (path) => links[path],
  };
}

Deno.test("read process: a name may hold anything, the id inside is the last of NSpid", () => {
  const fields = ["S", "77", ...new Array(17).fill("0"), "12345", "0"];
  const files = filesOf({
    "/proc/7/stat": `7 (a) b (c) ${fields.join(" ")}\n`,
    "/proc/7/cmdline": "app\0--x\0\0",
    "/proc/7/cgroup": "0::/system.slice/app.service\n",
    "/proc/7/status": "Name:\ta\nNSpid:\t7\t1\n",
  }, { "/proc/7/exe": "/bin/app", "/proc/7/ns/net": "net:[42]", "/proc/7/ns/mnt": "mnt:[43]" });
  assert.deepEqual(readProcess(files, 7), {
    fact: "seen",
    tgid: 7,
    startNs: "123450000000",
    execCount: -1,
    comm: "a) b (c",
    exe: "/bin/app",
    argv: ["app", "--x", ""],
    parentTgid: 77,
    cgroupId: "0",
    cgroup: "/system.slice/app.service",
    innerPid: 1,
    pidns: 0,
    netns: 42,
    mntns: 43,
  });
  assert.equal(readProcess(files, 8), null);
});

Deno.test("loss counter: tells what rose since it was last asked", () => {
  const none = {
    ring_full: 0n,
    kernel_storage: 0n,
    recursion_miss: 0n,
    enter_without_exit: 0n,
    mmsg: 0n,
    payload_unreadable: 0n,
    budget_spent: 0n,
    ring_pressure: 0n,
  };
  const since = lossCounter();
  assert.deepEqual(since(none), []);
  assert.deepEqual(since({ ...none, ring_full: 5n }), [
    { fact: "loss", reason: "ring_full", count: 5 },
  ]);
  assert.deepEqual(since({ ...none, ring_full: 7n, mmsg: 1n }), [
    { fact: "loss", reason: "ring_full", count: 2 },
    { fact: "loss", reason: "mmsg", count: 1 },
  ]);
  assert.deepEqual(since({ ...none, ring_full: 7n, mmsg: 1n }), []);
});

Deno.test("verdict feedback: tells the kernel only what is new", () => {
  const told: string[] = [];
  const feedback = verdictFeedback({
    setVerdict: (cookie, verdict) => void told.push(`${cookie} ${verdict}`),
    bumpGeneration: () => void told.push("again"),
  });
  const connection: Connection = {
    conn: 1,
    cookie: 9n,
    transport: "tcp",
    netns: 1,
    role: "client",
    local: { ip: "", port: 0 },
    peer: { ip: "", port: 0 },
    startNs: 0n,
    joinedMidstream: false,
    observer: "process",
    peerCookie: 0n,
  };
  feedback.apply({ connection, verdict: "prefix" });
  feedback.apply({ connection, verdict: "prefix" });
  assert.deepEqual(told, ["9 prefix"]);
  feedback.apply({ connection, verdict: "all" });
  assert.deepEqual(told.splice(0), ["9 prefix", "9 all", "again"]);
  feedback.forget(connection);
  feedback.apply({ connection, verdict: "all" });
  feedback.apply({ connection: { ...connection, observer: "nic" }, verdict: "ignore" });
  assert.deepEqual(told, ["9 all"]);
});
