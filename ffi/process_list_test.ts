// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { processSeedAt as at, processSeedBytes } from "../bpf/event.gen.ts";
import type { HostFiles } from "./host_files.ts";
import { descendants, readCgroup, readProcessSeeds } from "./process_list.ts";

function files(texts: Record<string, string>): HostFiles {
  return {
    text: (path) => texts[path],
    bytes: () => undefined,
    link: (path) => texts[path],
  };
}

Deno.test("readCgroup: the unified hierarchy, else the memory controller", () => {
  const cgroup = (text: string) => readCgroup(files({ "/proc/7/cgroup": text }), 7);
  assert.equal(cgroup("0::/system.slice/redis.service\n"), "/system.slice/redis.service");
  assert.equal(cgroup("4:cpu,memory:/docker/ab\n1:name=systemd:/x\n0::/\n"), "/docker/ab");
  assert.equal(cgroup("0::/a:b\n"), "/a:b");
  assert.equal(cgroup("0::/\n"), "/");
  assert.equal(readCgroup(files({}), 7), "");
});

Deno.test("readProcessSeeds: identity from the kernel, texts from /proc", () => {
  const record = new Uint8Array(2 * processSeedBytes);
  const view = new DataView(record.buffer);
  view.setUint32(at.tgid, 7, true);
  view.setBigUint64(at.leaderStartNs, 123456789012345n, true);
  view.setUint32(at.execCount, 3, true);
  view.setUint32(at.ppid, 1, true);
  record.set(new TextEncoder().encode("redis-server"), at.comm);
  view.setUint32(processSeedBytes + at.tgid, 8, true);
  const [redis, gone] = readProcessSeeds(
    record,
    files({ "/proc/7/exe": "/usr/bin/redis", "/proc/7/cmdline": "redis\0--port\0" }),
  );
  assert.equal(redis?.startNs, 123456789012345n);
  assert.equal(redis?.comm, "redis-server");
  assert.equal(redis?.exe, "/usr/bin/redis");
  assert.deepEqual(redis?.argv, ["redis", "--port"]);
  assert.deepEqual([redis?.execCount, redis?.parentTgid], [3, 1]);
  assert.deepEqual([gone?.tgid, gone?.exe, gone?.argv, gone?.cgroup], [8, "", [], ""]);
});

Deno.test("descendants: the whole tree below, each once, cycles or not", () => {
  const process = (tgid: number, parentTgid: number) => ({ tgid, parentTgid });
  const all = [process(1, 0), process(2, 1), process(3, 2), process(4, 1), process(5, 5)];
  assert.deepEqual(descendants(all, [2]), [3]);
  assert.deepEqual(descendants(all, [1, 2]).toSorted(), [3, 4]);
  assert.deepEqual(descendants(all, [5]), []);
  assert.deepEqual(descendants(all, []), []);
});
