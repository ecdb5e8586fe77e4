// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { closeEventAt, dataEventAt } from "../../bpf/event.gen.ts";
import type { CaptureRecord } from "../../model/capture_record.ts";
import { type DecoderOptions, recordDecoder } from "./record_decoder.ts";
import {
  activityRecord,
  closeRecord,
  type DataParts,
  dataRecord,
  processRecord,
  unixRecord,
} from "./records/event_fixture.ts";
import { encodeHostFact, type SeenFact } from "./records/host_fact.ts";

const S = 1_000_000_000n;

function decoding(options: DecoderOptions = {}) {
  const records: CaptureRecord[] = [];
  const drops: Record<string, number> = {};
  const decoder = recordDecoder({
    emit: (record) => void records.push(record),
    drop: (reason, n = 1) => drops[reason] = (drops[reason] ?? 0) + n,
  }, options);
  const decode = (...raw: Uint8Array<ArrayBuffer>[]) => {
    for (const bytes of raw) decoder.decode(bytes, new DataView(bytes.buffer), 0, bytes.length);
  };
  return { records, drops, decode, decoder };
}

/** The records of one decoder, those that tell of a program first met left out. */
function decoded(...raw: Uint8Array<ArrayBuffer>[]): CaptureRecord[] {
  const { records, decode } = decoding();
  decode(...raw);
  return records.filter((record) => record.kind !== "process" || record.what !== "seen");
}

function data(...parts: DataParts[]) {
  return decoded(...parts.map(dataRecord)).map((record) => {
    assert.ok(record.kind === "data");
    return record;
  });
}

Deno.test("record decoder: a data record becomes an event with all its facts", () => {
  const [event] = data({
    emitNs: 5n * S,
    startNs: 4n * S,
    tid: 101,
    turn: 9,
    direction: "egress",
    payload: "GET /",
    length: 900,
    streamOffset: 6_000_000_000,
    seq: 0xfffffff0,
    via: "sendfile",
    role: "server",
    local: [10, 0, 0, 1],
    localPort: 80,
    peer: [10, 0, 0, 2],
    peerPort: 40_001,
    joinedMidstream: true,
    connStartNs: 0n,
  });
  assert.ok(event !== undefined);
  const { connection, program, payload, ...rest } = event;
  assert.deepEqual(rest, {
    kind: "data",
    tid: 101,
    coroutine: 0n,
    turn: 9,
    direction: "egress",
    emitNs: 5n * S,
    startNs: 4n * S,
    streamOffset: 6_000_000_000,
    length: 900,
    seq: 0xfffffff0,
    eof: false,
    via: "sendfile",
  });
  assert.equal(new TextDecoder().decode(payload), "GET /");
  assert.deepEqual(connection, {
    conn: 0,
    cookie: 7n,
    transport: "tcp",
    netns: 1,
    role: "server",
    local: { ip: "10.0.0.1", port: 80 },
    peer: { ip: "10.0.0.2", port: 40_001 },
    startNs: 0n,
    joinedMidstream: true,
    observer: "process",
    peerCookie: 0n,
  });
  assert.deepEqual([program.tgid, program.comm, program.execCount], [100, "curl", 1]);
});

Deno.test("record decoder: one object per socket and per program", () => {
  const [a, b, c, d] = data(
    { cookie: 1n, payload: "a" },
    { cookie: 2n, payload: "b", execCount: 2 },
    { cookie: 1n, payload: "c" },
    { cookie: 0xffffffffffffffffn, payload: "d" },
  );
  assert.ok(a && b && c && d);
  assert.equal(a.connection, c.connection);
  assert.notEqual(a.connection, b.connection);
  assert.equal(a.program, c.program);
  assert.notEqual(a.program, b.program, "another exec is another program");
  assert.equal(c.program.program, 1, "a late record of the old program does not make it new");
  assert.deepEqual([a, b, c, d].map((r) => r.connection.conn), [0, 1, 0, 2]);
  assert.equal(d.connection.cookie, 0xffffffffffffffffn);
});

Deno.test("record decoder: neighbouring cookies are never taken for one, however large", () => {
  const bases = [1n, 2n ** 32n, 2n ** 53n, 2n ** 63n + 1n, 2n ** 63n + 2n ** 53n, 2n ** 64n - 3n];
  const cookies = bases.flatMap((base) => [base, base + 1n, base + 2n]);
  const events = data(...cookies.map((cookie) => ({ cookie, payload: "x" })));
  assert.deepEqual(events.map((e) => e.connection.cookie), cookies);
  const unix = { transport: "unix", payload: "x" } as const;
  const eofs = cookies.map((cookie) => {
    const records = decoded(
      dataRecord({ ...unix, cookie, peerCookie: 77n }),
      dataRecord({ ...unix, cookie: 77n, peerCookie: cookie, payload: "y" }),
      dataRecord({ ...unix, cookie: 77n, peerCookie: cookie, payload: "", flags: ["eof", "over"] }),
      encodeHostFact({ fact: "clock", bootNs: "4", realNs: "5" }, 20n * S),
    );
    return records.filter((r) => r.kind === "close").length;
  });
  assert.deepEqual(eofs, cookies.map(() => 2), "a peer is found by its cookie");
});

Deno.test("record decoder: start and sequence number only where they are known", () => {
  const [event] = data({ payload: "x", emitNs: 5n * S, flags: ["seqUncertain"] });
  assert.equal(event?.startNs, 5n * S);
  assert.equal(event?.seq, -1);
});

Deno.test("record decoder: a role and an address may become known later", () => {
  const udp = { transport: "udp", local: [0, 0, 0, 0], localPort: 0, payload: "x" } as const;
  const [first, second] = data(
    { ...udp, role: "unknown" },
    { ...udp, role: "client", local: [10, 0, 0, 9], localPort: 5000 },
  );
  assert.equal(first?.connection, second?.connection);
  assert.equal(second?.connection.role, "client");
  assert.deepEqual(second?.connection.local, { ip: "10.0.0.9", port: 5000 });
});

Deno.test("record decoder: a datagram of an unconnected socket has its own peer", () => {
  const from = (last: number, peerPort: number): DataParts => ({
    transport: "udp",
    payload: "x",
    flags: ["peerOfMessage"],
    peer: [10, 0, 0, last],
    peerPort,
  });
  const events = data(from(1, 1000), from(2, 1000), from(2, 1001), from(2, 1001));
  assert.deepEqual(events.map((event) => event.peer), [
    { ip: "10.0.0.1", port: 1000 },
    { ip: "10.0.0.2", port: 1000 },
    { ip: "10.0.0.2", port: 1001 },
    { ip: "10.0.0.2", port: 1001 },
  ]);
  assert.deepEqual(events[3]?.connection.peer, { ip: "", port: 0 });
});

Deno.test("record decoder: IPv4-mapped addresses are written as IPv4", () => {
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3];
  const local = [...new Array(15).fill(0), 1];
  const [event] = data({ payload: "x", local, peer: mapped });
  assert.equal(event?.connection.local.ip, "::1");
  assert.equal(event?.connection.peer.ip, "10.1.2.3");
});

Deno.test("record decoder: unix sockets have paths and end after their streams did", () => {
  const unix = { transport: "unix", payload: "x" } as const;
  const records = decoded(
    unixRecord({ cookie: 7n, local: "/run/db.sock", peer: "\0bus" }),
    dataRecord({ ...unix, cookie: 7n, peerCookie: 8n, emitNs: 1n * S }),
    dataRecord({ ...unix, cookie: 8n, peerCookie: 7n, emitNs: 1n * S, tgid: 101 }),
    dataRecord({ ...unix, cookie: 7n, payload: "", flags: ["eof", "over"], emitNs: 2n * S }),
    encodeHostFact({ fact: "clock", bootNs: "4", realNs: "5" }, 11n * S),
    encodeHostFact({ fact: "clock", bootNs: "4", realNs: "6" }, 13n * S),
  );
  const [first] = records;
  assert.ok(first?.kind === "data");
  assert.deepEqual(first.connection.local, { ip: "/run/db.sock", port: 0 });
  assert.deepEqual(first.connection.peer, { ip: "@bus", port: 0 });
  const ends = records.flatMap((r) => r.kind === "close" ? [[r.connection.cookie, r.emitNs]] : []);
  assert.deepEqual(ends, [[7n, 13n * S], [8n, 13n * S]]);
});

Deno.test("record decoder: a unix client that wrote before it was accepted learns its peer", () => {
  const unix = { transport: "unix", payload: "x" } as const;
  for (const unknown of [0n, 1n << 63n]) {
    const [client, server] = data(
      { ...unix, cookie: 7n, peerCookie: unknown },
      { ...unix, cookie: 8n, peerCookie: 7n, tgid: 101 },
    );
    assert.equal(client?.connection.peerCookie, 8n);
    assert.equal(server?.connection.peerCookie, 7n);
  }
});

Deno.test("record decoder: a socket ends once, as the kernel says", () => {
  const gone = processRecord({ what: "exit", tgid: 100, exitStatus: 9, emitNs: 3n * S });
  const reasons = (...raw: Uint8Array<ArrayBuffer>[]) =>
    decoded(...raw).flatMap((r) => r.kind === "close" ? [r.reason] : []);
  const open = dataRecord({ payload: "x" });
  assert.deepEqual(reasons(open, closeRecord(), closeRecord()), ["close"]);
  assert.deepEqual(reasons(open, closeRecord({ reason: "reset" })), ["reset"]);
  assert.deepEqual(reasons(open, closeRecord({ reason: "timeout" })), ["reset"]);
  assert.deepEqual(reasons(open, gone, closeRecord()), ["exit"]);
  assert.deepEqual(reasons(closeRecord()), [], "nothing was known of it");
  const eof = dataRecord({ payload: "", flags: ["eof"] });
  assert.deepEqual(decoded(open, closeRecord(), eof).length, 2, "its end of stream comes too late");
});

Deno.test("record decoder: a UDP socket ends with its only process, or when idle for long", () => {
  const udp = { transport: "udp", payload: "x" } as const;
  const gone = processRecord({ what: "exit", tgid: 100, emitNs: 3n * S });
  const closes = (...raw: Uint8Array<ArrayBuffer>[]) =>
    decoded(...raw).flatMap((r) => r.kind === "close" ? [[r.connection.cookie, r.reason]] : []);
  assert.deepEqual(closes(dataRecord({ ...udp, cookie: 1n }), gone), [[1n, "exit"]]);
  const used = dataRecord({ ...udp, cookie: 1n, tgid: 101 });
  assert.deepEqual(closes(dataRecord({ ...udp, cookie: 1n }), used, gone), []);
  const later = dataRecord({ ...udp, cookie: 2n, emitNs: 200n * S });
  assert.deepEqual(closes(dataRecord({ ...udp, cookie: 1n }), later), [[1n, "close"]]);
});

Deno.test("record decoder: beyond the limit the idlest socket is forgotten and counted", () => {
  const { records, drops, decode, decoder } = decoding({ socketsMax: 2 });
  const of = (cookie: bigint, at: bigint) => dataRecord({ cookie, payload: "x", emitNs: at * S });
  decode(of(1n, 1n), of(2n, 2n), of(1n, 3n), of(3n, 4n));
  const closed = records.flatMap((r) => r.kind === "close" ? [r.connection.cookie] : []);
  assert.deepEqual(closed, [2n]);
  assert.deepEqual(drops, { connections_full: 1 });
  assert.equal(decoder.held(), 2 + 1);
});

Deno.test("record decoder: fork, exec and exit", () => {
  const parent = { tgid: 50, leaderStartNs: 1n, comm: "sh" };
  const child = { tgid: 60, leaderStartNs: 2n };
  const records = decoded(
    processRecord({ what: "exec", ...parent, filename: "/bin/sh", args: ["sh", "-c", "x y"] }),
    processRecord({ what: "fork", ...child, comm: "sh", parentTgid: 50 }),
    processRecord({
      what: "exec",
      ...child,
      execCount: 2,
      comm: "x",
      filename: "/bin/x",
      args: [],
    }),
    processRecord({ what: "exit", ...child, execCount: 2, exitStatus: 256 }),
    activityRecord({ what: "threadExit", ...parent, tid: 51 }),
    activityRecord({ what: "wakeup", ...parent, otherTid: 52 }),
  );
  const facts = records.flatMap((r) => r.kind === "process" ? [r] : []);
  assert.deepEqual(facts.map((f) => [f.what, f.program.program, f.program.exe, f.program.argv]), [
    ["exec", 1, "/bin/sh", ["sh", "-c", "x y"]],
    ["fork", 2, "/bin/sh", ["sh", "-c", "x y"]],
    ["exec", 3, "/bin/x", []],
    ["exit", 3, "/bin/x", []],
  ]);
  assert.deepEqual(facts[3]?.exitStatus, 256);
  assert.equal(facts[1]?.program.parentTgid, 50);
  const activities = records.flatMap((r) => r.kind === "activity" ? [[r.what, r.wokenTid]] : []);
  assert.deepEqual(activities, [["thread_exit", undefined], ["wakeup", 52]]);
});

const SEEN: SeenFact = {
  fact: "seen",
  tgid: 100,
  startNs: "500000000",
  execCount: -1,
  cgroupId: "0",
  comm: "nginx",
  exe: "/usr/sbin/nginx",
  argv: ["nginx", "-g"],
  parentTgid: 1,
  cgroup: "/system.slice/nginx.service",
  innerPid: 100,
  pidns: 1,
  netns: 2,
  mntns: 3,
};

Deno.test("record decoder: a process that was there before is known from its seed", () => {
  const { records, decode } = decoding();
  decode(
    encodeHostFact(SEEN, 1n),
    dataRecord({ payload: "x", tid: 105, comm: "worker" }),
    dataRecord({ payload: "y", leaderStartNs: 600_000_000n, comm: "other" }),
  );
  const seen = records.flatMap((r) => r.kind === "process" ? [r.program] : []);
  assert.deepEqual(seen.map((p) => [p.comm, p.exe, p.cgroup, p.netns]), [
    ["nginx", "/usr/sbin/nginx", "/system.slice/nginx.service", 2],
    ["other", "", "", 0],
  ]);
});

Deno.test("record decoder: the list of processes at the start names programs exactly", () => {
  const { records, decode } = decoding();
  decode(
    encodeHostFact({ ...SEEN, execCount: 1, cgroupId: "5" }, 1n),
    encodeHostFact({ ...SEEN, execCount: 1, cgroupId: "5" }, 1n),
    dataRecord({ payload: "x", tid: 105, comm: "worker", cgroupId: 5n }),
    processRecord({ what: "fork", tgid: 101, parentTgid: 100, cgroupId: 5n, comm: "nginx" }),
  );
  const programs = records.flatMap((r) => r.kind === "process" || r.kind === "data" ? [r] : []);
  assert.deepEqual(programs.map(({ program: p }) => [p.program, p.comm, p.exe, p.cgroup]), [
    [1, "nginx", "/usr/sbin/nginx", "/system.slice/nginx.service"],
    [1, "nginx", "/usr/sbin/nginx", "/system.slice/nginx.service"],
    [2, "nginx", "/usr/sbin/nginx", "/system.slice/nginx.service"],
  ]);
});

Deno.test("record decoder: live capture is asked about unknown processes, once", () => {
  const asked: (number | bigint)[] = [];
  const { records, decode } = decoding({
    ask: {
      process(tgid) {
        asked.push(tgid);
        decode(encodeHostFact({ ...SEEN, tgid }, 1n));
      },
      cgroup(_tgid, id) {
        asked.push(id);
        decode(encodeHostFact({ fact: "cgroup", id: `${id}`, path: `/${id}` }, 1n));
      },
    },
  });
  decode(dataRecord({ payload: "x", cgroupId: 9n }), dataRecord({ payload: "y", cgroupId: 9n }));
  assert.deepEqual(asked, [100, 9n]);
  const [, first] = records;
  assert.ok(first?.kind === "data");
  assert.equal(first.program.cgroup, "/9");
  decode(dataRecord({ payload: "x", cgroupId: 10n }));
  assert.equal(first.program.cgroup, "/10", "a process may be moved");
  assert.equal(first.program.exe, "/usr/sbin/nginx");
});

Deno.test("record decoder: losses are records and drops", () => {
  const { records, drops, decode } = decoding();
  decode(
    encodeHostFact({ fact: "loss", reason: "ring_full", count: 3 }, 2n),
    encodeHostFact({ fact: "loss", reason: "of_a_later_kernel", count: 1 }, 2n),
  );
  assert.deepEqual(records, [
    { kind: "loss", emitNs: 2n, reason: "ring_full", count: 3 },
    { kind: "loss", emitNs: 2n, reason: "of_a_later_kernel", count: 1 },
  ]);
  assert.deepEqual(drops, { ring_full: 3 });
});

Deno.test("record decoder: programs are bounded, those gone for longest go first", () => {
  const { decode, decoder } = decoding({ programsMax: 3 });
  for (let tgid = 1; tgid <= 10; tgid++) decode(processRecord({ what: "fork", tgid }));
  assert.equal(decoder.held(), 3);
});

Deno.test("record decoder: damaged records are counted and never thrown", () => {
  const good = [
    dataRecord({ payload: "hello" }),
    closeRecord(),
    processRecord({ what: "exec", filename: "/bin/x", args: ["x"] }),
    activityRecord({ what: "threadExit" }),
    unixRecord({ cookie: 7n, local: "/a", peer: "/b" }),
    encodeHostFact(SEEN, 1n),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
      fc.nat(),
      (record, changes, cut) => {
        const { decode, records, drops } = decoding();
        const damaged = record.slice(0, 1 + cut % record.length);
        for (const [at, value] of changes) damaged[at % damaged.length] = value;
        decode(damaged);
        for (const r of records) if (r.kind === "data") assert.ok(r.payload.length <= r.length);
        assert.ok(Object.keys(drops).every((reason) => reason === "record_malformed"));
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("record decoder: close records carry the flow where data records do", () => {
  assert.equal(closeEventAt.cookie, dataEventAt.cookie);
});
