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
    { name: "runtime.typedmemmove" },
    { name: "runtime.typedmemclr" },
    { name: "runtime.send" },
    { name: "runtime.recv" },
    { name: "runtime.chansend", calls: ["runtime.typedmemmove", "runtime.send"] },
    { name: "runtime.chanrecv", calls: ["runtime.typedmemclr", "runtime.recv"] },
    {
      name: "runtime.selectgo",
      calls: ["runtime.typedmemmove", "runtime.send", "runtime.typedmemclr", "runtime.recv"],
    },
  ],
});

/** Processes by number: which file each runs. What reaches the kernel side is written down. */
function startWatch(files: Readonly<Record<number, string>>, whyNot: string | null = null) {
  const told: string[] = [];
  const uses = new Map<number, bigint>();
  const probes: GoProbes = {
    whyNot,
    add(tgid, { goidAt }, channels) {
      told.push(`add ${tgid} ${goidAt}${channels.to === 0n ? "" : " with channels"}`);
    },
    channelUses: (tgid) => uses.get(tgid) ?? 0n,
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
  return { watch, told, exits, uses };
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

Deno.test("go watch: channels are followed on demand, in all processes of a file", () => {
  const { watch, told } = startWatch({ 10: "web", 11: "web", 12: "other", 13: "web" });
  for (const tgid of [10, 11, 12]) watch.meet(tgid, "/bin/web");
  told.length = 0;
  watch.need(10, "channels");
  watch.need(11, "channels");
  const probes = ["put", "hands", "take", "gets"];
  assert.deepEqual(told.splice(0), [
    "go_spawned /proc/10/exe",
    ...probes.map((each) => `go_${each} /proc/10/exe`),
    "add 10 152 with channels",
    "add 11 152 with channels",
  ]);
  watch.meet(13, "/bin/web");
  assert.deepEqual(told, ["add 13 152 with channels"]);
});

Deno.test("go watch: births are told on demand, once", () => {
  const { watch, told } = startWatch({ 10: "web", 11: "web" });
  for (const tgid of [10, 11]) watch.meet(tgid, "/bin/web");
  told.length = 0;
  for (const tgid of [10, 11]) watch.need(tgid, "births");
  assert.deepEqual(told, ["go_spawned /proc/10/exe"]);
});

Deno.test("go watch: channels that are used too often are let go of, and that is told", () => {
  const { watch, told, uses } = startWatch({ 10: "web" });
  watch.meet(10, "/bin/web");
  watch.need(10, "channels");
  told.length = 0;
  uses.set(10, 50_000n);
  watch.look(2_000);
  assert.deepEqual(told, []);
  uses.set(10, 110_000n);
  watch.look(2_500);
  watch.look(3_000);
  assert.deepEqual(told, ["add 10 152", ...Array<string>(4).fill("detach apart")]);
  assert.match(watch.seen()[0]?.gaps.join() ?? "", /channels are not followed: .* too often/);
  watch.need(10, "channels");
  assert.equal(told.length, 5);
});
