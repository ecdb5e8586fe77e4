// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { GoProbes } from "../../../ffi/go_probes.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { fixtureSource } from "./go_program_fixture.ts";
import { goWatch } from "./go_watch.ts";

const SOURCE = fixtureSource({
  version: "go1.22.1",
  functions: [
    { name: "runtime.newproc1" },
    { name: "runtime.newproc.func1", calls: ["runtime.newproc1"] },
    { name: "net/http.(*persistConn).writeLoop" },
    { name: "net/http.(*persistConn).roundTrip" },
    { name: "syscall.connect" },
  ],
});

/** Processes by number: which file each runs. What reaches the kernel side is written down. */
function startWatch(files: Readonly<Record<number, string>>, whyNot: string | null = null) {
  const told: string[] = [];
  const probes: GoProbes = {
    whyNot,
    add: (tgid, { goidAt }) => void told.push(`add ${tgid} ${goidAt}`),
    forget: (tgid) => void told.push(`forget ${tgid}`),
    attach(program, path) {
      told.push(`${program} ${path}`);
      return {
        [Symbol.dispose]: () => void told.push("detach"),
        [Symbol.asyncDispose]: () => Promise.resolve(void told.push("detach apart")),
      };
    },
  };
  const watch = goWatch({
    probes,
    files: { text: () => undefined },
    open(path) {
      const identity = files[Number(path.split("/")[2])];
      if (identity === undefined) return undefined;
      const read = (at: number, bytes: number) =>
        identity === "shell" ? new Uint8Array(bytes) : SOURCE.read(at, bytes).slice();
      return { identity, read, [Symbol.dispose]() {} };
    },
  });
  const exits = (tgid: number, emitNs = 0n) =>
    watch.take({ kind: "process", what: "exit", program: { ...NO_PROGRAM, tgid }, emitNs });
  return { watch, told, exits };
}

Deno.test("go watch: a file is probed once, while a process runs it", () => {
  const { watch, told, exits } = startWatch({ 10: "web", 11: "web", 12: "shell" });
  for (const tgid of [10, 11, 12, 13]) watch.meet(tgid, "/bin/web");
  assert.deepEqual(told.splice(0), ["add 10 152", "go_called /proc/10/exe", "add 11 152"]);
  exits(10);
  assert.deepEqual(told.splice(0), ["forget 10"]);
  exits(11);
  exits(11);
  exits(12);
  assert.deepEqual(told.splice(0), ["forget 11"]);
  assert.deepEqual(watch.seen(), [{ tgids: [10], exe: "/bin/web", gaps: [] }]);
});

Deno.test("go watch: a file stays probed for a while after its last process", () => {
  const { watch, told, exits } = startWatch({ 10: "web", 11: "web", 12: "other" });
  for (const tgid of [10, 12]) watch.meet(tgid, "/bin/web");
  exits(10);
  told.length = 0;
  watch.meet(11, "/bin/web");
  assert.deepEqual(told.splice(0), ["add 11 152"]);
  exits(11);
  exits(12, 31_000_000_000n);
  assert.deepEqual(told.splice(0), ["forget 11", "forget 12", "detach apart"]);
  watch[Symbol.dispose]();
  assert.deepEqual(told, ["detach"]);
});

Deno.test("go watch: without probes goroutines are read all the same, and the gap is told", () => {
  const { watch, told } = startWatch({ 10: "web" }, "the kernel has no uprobes");
  watch.meet(10, "/bin/web");
  assert.deepEqual(told, ["add 10 152"]);
  assert.match(watch.seen()[0]?.gaps.join() ?? "", /not probed: the kernel has no uprobes/);
});

Deno.test("go watch: the end takes all probes away", () => {
  const { watch, told } = startWatch({ 10: "web", 11: "other" });
  watch.meet(10, "/bin/web");
  watch.meet(11, "/bin/other");
  told.length = 0;
  watch[Symbol.dispose]();
  assert.deepEqual(told.toSorted(), ["detach", "detach", "forget 10", "forget 11"]);
});
