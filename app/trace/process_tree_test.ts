// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { NO_PROGRAM } from "../../model/process.ts";
import { ProcessTree } from "./process_tree.ts";

const fork = (tgid: number, parentTgid: number) => ({
  kind: "process" as const,
  what: "fork" as const,
  program: { ...NO_PROGRAM, tgid, parentTgid },
  emitNs: 0n,
});

Deno.test("descendants belong to the tree, others do not", () => {
  const tree = new ProcessTree(10);
  tree.add(fork(11, 10));
  tree.add(fork(12, 11));
  tree.add(fork(20, 1));
  tree.add(fork(30, 31));
  tree.add(fork(31, 30));
  assert.deepEqual([10, 11, 12, 20, 30, 99].map((pid) => tree.has(pid)), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("memory is bounded", () => {
  const tree = new ProcessTree(1);
  for (let pid = 2; pid < 70_000; pid++) tree.add(fork(pid, 1));
  assert.equal(tree.has(3), false);
  assert.equal(tree.has(69_999), true);
});
