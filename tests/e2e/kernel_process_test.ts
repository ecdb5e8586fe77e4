// SPDX-License-Identifier: Apache-2.0
// Facts about processes as the kernel programs tell them, for processes too short-lived for /proc.

import assert from "node:assert/strict";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { type OtherRecord, watch } from "./kernel_watch.ts";

const FORK = 1, EXEC = 2, EXIT = 3;

const words = (record: OtherRecord) =>
  String(record.fields["args"]).slice(0, Number(record.fields["argsBytes"])).split("\0").slice(
    0,
    -1,
  );

e2e("kernel: fork, exec and exit are told with name, arguments and status", {
  needs: ["bpf"],
}, async () => {
  using seen = watch();
  const script = "/bin/true first 'second word'; /bin/sh -c 'exit 7'; kill -9 $$";
  await using shell = await startChild("/bin/sh", { args: ["-c", script] });
  await shell.exited;
  await seen.untilExit(shell.pid);
  const facts = seen.others.filter((r) => r.kind === "process");
  const childrenOf = (pid: number) =>
    facts.filter((r) => r.fields["what"] === FORK && r.fields["ppid"] === pid).map((r) => r.tgid);
  const [first, second] = childrenOf(shell.pid);
  assert.ok(first !== undefined && second !== undefined);
  const of = (pid: number, what: number) =>
    facts.find((r) => r.tgid === pid && r.fields["what"] === what);

  const truth = of(first, EXEC);
  assert.equal(truth?.comm, "true");
  assert.deepEqual(truth && words(truth), ["/bin/true", "first", "second word"]);
  const filename = String(truth?.fields["filename"]).slice(
    0,
    Number(truth?.fields["filenameBytes"]),
  );
  assert.equal(filename, "/bin/true");
  assert.equal(of(first, EXIT)?.fields["exitStatus"], 0);
  assert.equal(of(second, EXIT)?.fields["exitStatus"], 7 << 8);
  assert.equal(of(shell.pid, EXIT)?.fields["exitStatus"], 9);

  const forked = of(first, FORK);
  assert.equal(truth?.execCount, (forked?.execCount ?? 0) + 1, "exec starts another program");
  assert.equal(truth?.fields["leaderStartNs"], forked?.fields["leaderStartNs"]);
  assert.equal(forked?.fields["parentStartNs"], of(shell.pid, EXEC)?.fields["leaderStartNs"]);
});

e2e("kernel: ids inside a pid namespace and its number are told", { needs: ["bpf"] }, async () => {
  using seen = watch();
  const args = ["--pid", "--fork", "--net", "/bin/true", "inside"];
  await using outer = await startChild("unshare", { args });
  assert.equal((await outer.exited).code, 0, outer.stderr());
  await seen.untilExit(outer.pid);
  const execs = seen.others.filter((r) => r.kind === "process" && r.fields["what"] === EXEC);
  const inside = execs.find((r) => words(r).includes("inside") && r.comm === "true");
  const outside = execs.find((r) => r.tgid === outer.pid);
  assert.equal(inside?.fields["innerPid"], 1, "first of its namespace");
  assert.equal(outside?.fields["innerPid"], outer.pid);
  assert.notEqual(inside?.fields["pidNs"], outside?.fields["pidNs"]);
  assert.notEqual(inside?.fields["netNs"], outside?.fields["netNs"]);
  assert.equal(inside?.fields["mntNs"], outside?.fields["mntNs"]);
});
