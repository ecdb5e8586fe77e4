// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { parseGoVersion } from "./go_build_info.ts";
import { inspectProgram } from "./go_program.ts";
import { entryOf, type FixtureProgram, fixtureSource, TEXT_ADDRESS } from "./go_program_fixture.ts";

const WEB: FixtureProgram = {
  version: "go1.22.1",
  functions: [
    { name: "runtime.newproc1" },
    { name: "runtime.newproc.func1", calls: ["runtime.newproc1"] },
    { name: "net/http.(*persistConn).writeLoop" },
    { name: "net/http.(*persistConn).roundTrip" },
    { name: "net/http.(*Transport).dialConn.func2" },
    {
      name: "net/http.(*Transport).dialConn.gowrap3",
      calls: ["net/http.(*persistConn).writeLoop"],
    },
    { name: "internal/singleflight.(*Group).doCall" },
    { name: "syscall.connect" },
  ],
};

const fileOffset = (address: number) => address - TEXT_ADDRESS + 0x1000;

function inspected(change: Partial<FixtureProgram> = {}) {
  const found = inspectProgram(fixtureSource({ ...WEB, ...change }));
  assert.ok(found.kind === "go", found.kind);
  return found;
}

Deno.test("go program: what is probed and read of one that uses net/http", () => {
  const { version, layout, linkedAt, roles, probes, gaps } = inspected();
  assert.equal(version, "go1.22.1");
  assert.deepEqual(gaps, []);
  assert.equal(linkedAt, null);
  assert.equal(layout.goidAt, 152);
  assert.equal(layout.parentAt, 272);
  assert.equal(layout.tlsOffset, -8);
  assert.deepEqual(roles, [
    { entry: entryOf(WEB, 2), role: "caller" },
    { entry: entryOf(WEB, 5), role: "caller" },
  ]);
  // Who starts a goroutine can be read.
  assert.deepEqual(probes, [
    { program: "go_called", at: fileOffset(entryOf(WEB, 3)) },
    { program: "go_passed", at: fileOffset(entryOf(WEB, 6)) },
  ]);
});

Deno.test("go program: older ones are probed where a goroutine has been made", () => {
  const { layout, probes } = inspected({ version: "go1.19.8", magic: 0xfffffff0 });
  assert.equal(layout.parentAt, 0);
  assert.deepEqual(probes, [
    { program: "go_called", at: fileOffset(entryOf(WEB, 3)) },
    { program: "go_spawned", at: fileOffset(entryOf(WEB, 1) + 5) },
  ]);
});

Deno.test("go program: it is probed where work on a stream of a connection begins", () => {
  const functions = [
    ...WEB.functions.slice(0, 2),
    { name: "net/http.(*http2serverConn).readFrames" },
    { name: "golang.org/x/net/http2.(*serverConn).runHandler" },
    { name: "golang.org/x/net/http2.(*serverConn).runHandler.func1" },
    { name: "google.golang.org/grpc/internal/transport.(*http2Client).Write" },
    { name: "syscall.connect" },
  ];
  const { probes } = inspected({ functions, version: "go1.24.4" });
  assert.deepEqual(probes.map(({ program, at }) => [program, at]), [
    ["go_reads", fileOffset(entryOf(WEB, 2))],
    ["go_handles", fileOffset(entryOf(WEB, 3))],
    ["go_sends_rpc", fileOffset(entryOf(WEB, 5))],
  ]);
});

const CHANNELS = [
  { name: "runtime.typedmemmove" },
  { name: "runtime.typedmemclr" },
  { name: "runtime.send" },
  { name: "runtime.recv" },
  { name: "runtime.chansend", calls: ["runtime.typedmemmove", "runtime.send"] },
  {
    name: "runtime.chanrecv",
    calls: ["runtime.typedmemclr", "runtime.recv", "runtime.typedmemmove", "runtime.typedmemclr"],
  },
  {
    name: "runtime.selectgo",
    calls: ["runtime.typedmemmove", "runtime.send", "runtime.typedmemclr", "runtime.recv"],
  },
];

Deno.test("go program: where elements pass through channels", () => {
  const functions = [...WEB.functions, ...CHANNELS];
  const { channels } = inspected({ functions });
  const at = (n: number, call: number) => fileOffset(entryOf(WEB, 8 + n)) + 5 * call;
  assert.deepEqual(channels?.probes.map(({ program, at }) => [program, at]), [
    ["go_put", at(4, 0)],
    ["go_hands", at(4, 1)],
    ["go_take", at(5, 0)],
    ["go_take", at(5, 3)],
    ["go_gets", at(5, 1)],
    ["go_put", at(6, 0)],
    ["go_hands", at(6, 1)],
    ["go_take", at(6, 2)],
    ["go_gets", at(6, 3)],
  ]);
  assert.deepEqual([channels?.from, channels?.to], [entryOf(WEB, 12), entryOf(WEB, 15)]);
});

Deno.test("go program: channels of which one way cannot be seen are not followed", () => {
  const functions = [
    ...WEB.functions,
    ...CHANNELS.map((each) =>
      each.name === "runtime.chanrecv" ? { ...each, calls: ["runtime.typedmemclr"] } : each
    ),
  ];
  assert.equal(inspected({ functions }).channels, null);
});

Deno.test("go program: one without sockets is not probed", () => {
  const functions = WEB.functions.filter(({ name }) => name !== "syscall.connect");
  assert.deepEqual(inspected({ functions, version: "go1.19.8" }).probes, []);
});

Deno.test("go program: the start of the code is found where the table does not tell it", () => {
  const moved = { foreignBytes: 4096, tellsTextStart: false };
  const [role] = inspected(moved).roles;
  assert.equal(role?.entry, entryOf({ ...WEB, ...moved }, 2));
});

Deno.test("go program: a newer one is read as the newest known, and that is told", () => {
  assert.match(inspected({ version: "go1.99" }).gaps.join(), /^go1\.99 is read as Go 1\.\d\d$/);
});

Deno.test("go program: an unknown table costs what rests on it, no more", () => {
  const { roles, probes, gaps, layout } = inspected({ magic: 0xffffffe0 });
  assert.deepEqual([roles, probes], [[], []]);
  assert.match(gaps.join(), /HTTP clients cannot be followed: .*unknown kind \(ffffffe0\)/);
  assert.equal(layout.goidAt, 152);
});

Deno.test("go program: why one cannot be read is told", () => {
  const reasonOf = (change: Partial<FixtureProgram>) => {
    const found = inspectProgram(fixtureSource({ ...WEB, ...change }));
    return found.kind === "unreadable" ? found.reason : found.kind;
  };
  assert.match(reasonOf({ machine: 183 }), /not for x86-64/);
  assert.match(reasonOf({ version: "go1.9.7" }), /go1\.9\.7; .* from Go 1\.15 on/);
  assert.match(reasonOf({ tlsBytes: 64 }), /thread-local data beside Go's/);
  assert.equal(reasonOf({ tlsBytes: 8 }), "go");
  assert.equal(reasonOf({ version: null }), "other");
});

Deno.test("go program: no bytes make it throw", () => {
  const whole = fixtureSource(WEB).read(0, 1 << 16);
  for (let seed = 1; seed < 400; seed++) {
    const bytes = whole.slice();
    for (let i = 0; i < 40; i++) bytes[(seed * 7919 + i * i * 104_729) % bytes.length] = seed * i;
    inspectProgram({ read: (at, count) => bytes.slice(at, at + count) });
    inspectProgram({ read: (at, count) => bytes.slice(at, Math.min(at + count, seed * 160)) });
  }
});

Deno.test("go version: releases, candidates and development versions", () => {
  const minorOf = (text: string) => parseGoVersion(text)?.minor;
  assert.equal(minorOf("go1.19.8"), 19);
  assert.equal(minorOf("go1.22rc1"), 22);
  assert.equal(minorOf("devel go1.24-0123abc Mon"), 24);
  assert.equal(minorOf("devel +0123abc"), undefined);
});
