// SPDX-License-Identifier: Apache-2.0
// The live source on the real kernel: real programs talk, and their bytes, ends and names come out
// as records; a recording made beside replays to the same records and watermarks.

import assert from "node:assert/strict";
import type { CaptureRecord, SocketEvent } from "../../model/capture_record.ts";
import type { Nanos } from "../../model/time.ts";
import { type KernelSource, openKernelSource } from "../../operators/sources/kernel_source.ts";
import { openReplay } from "../../operators/sources/replay_source.ts";
import { createRecording } from "../../operators/sources/recordings/recording_writer.ts";
import { collect } from "../../operators/sources/source_fixture.ts";
import { runToEnd, startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { startDnsmasq } from "../support/servers/dnsmasq.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { startRedis } from "../support/servers/redis.ts";

interface Live {
  readonly records: CaptureRecord[];
  readonly watermarks: Nanos[];
  readonly drops: Record<string, number>;
  readonly events: () => SocketEvent[];
  /** Pulls until the condition holds; it sees all records so far. */
  seen(what: string, condition: () => boolean): Promise<void>;
  /** Lets the source come to its end. */
  stop(): Promise<void>;
}

/** Drives the source as the engine does, step by step, between what a test does. */
function drive(kernel: KernelSource): Live & Disposable {
  const records: CaptureRecord[] = [];
  const watermarks: Nanos[] = [];
  const drops: Record<string, number> = {};
  const stage = kernel.source.open({
    emit(record) {
      const kept = record.kind === "data" ? { ...record, payload: record.payload.slice() } : record;
      records.push(kept);
    },
    side() {},
    drop: (reason, n = 1) => drops[reason] = (drops[reason] ?? 0) + n,
    advance: (watermarkNs) => void watermarks.push(watermarkNs),
  });
  const { signal } = new AbortController();
  return {
    records,
    watermarks,
    drops,
    events: () => records.flatMap((record) => record.kind === "data" ? [record] : []),
    seen: async (what, condition) =>
      void await until(what, async () => {
        if (stage.pull(512) === 0) await stage.wait(signal);
        return condition();
      }),
    async stop() {
      stage.stop?.();
      await until("the end of the source", () => stage.pull(512) === 0 && stage.done());
    },
    [Symbol.dispose]: () => stage[Symbol.dispose](),
  };
}

const text = (events: readonly SocketEvent[]): string =>
  events.map(({ payload }) => new TextDecoder().decode(payload)).join("");

/** Asks for the address of shop.test over UDP. */
const ASK = String.raw`printf '\1\2\1\0\0\1\0\0\0\0\0\0\4shop\4test\0\0\1\0\1'`;

for (const path of ["fast", "portable"] as const) {
  e2e(`kernel source: both ends of HTTP, Redis, DNS and a unix socket, ${path} path`, {
    needs: ["bpf", "nginx", "curl", "redis", "dnsmasq"],
  }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "spandrel-source-" });
    const socket = `${folder}/nginx.sock`;
    const server = `listen unix:${socket}; location / { return 200 "hello\\n"; }`;
    await using nginx = await startNginx({ server });
    await using redis = await startRedis();
    await using dns = await startDnsmasq({ addresses: { "shop.test": "10.9.8.7" } });
    try {
      using kernel = openKernelSource({ path });
      using live = drive(kernel);
      await runToEnd("curl", { args: ["-sS", `${nginx.url}/cart`] });
      await runToEnd("curl", { args: ["-sS", "--unix-socket", socket, "http://x/by-unix"] });
      await runToEnd("redis-cli", { args: ["-p", `${redis.port}`, "SET", "cart:7", "x"] });
      const udp = `exec 3<>/dev/udp/127.0.0.1/${dns.port}; ${ASK} >&3; head -c 40 <&3 >/dev/null`;
      await runToEnd("bash", { args: ["-c", udp] });
      await live.seen(
        "the DNS answer",
        () =>
          live.events().some(({ program, direction, connection }) =>
            program.comm === "head" && direction === "ingress" && connection.transport === "udp"
          ),
      );
      await live.stop();
      assertHttp(live, nginx.port);
      assertUnix(live, socket);
      assertRedis(live, redis.port);
      assertDns(live, dns.port);
      assert.deepEqual(live.drops, {});
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Events at the two ends of the connections to a port, in order. */
function ends(live: Live, port: number) {
  const events = live.events();
  return {
    client: events.filter(({ connection: { peer, role } }) =>
      peer.port === port && role === "client"
    ),
    server: events.filter(({ connection: { local, role } }) =>
      local.port === port && role === "server"
    ),
  };
}

function assertHttp(live: Live, port: number): void {
  const { client, server } = ends(live, port);
  const [asked] = client, [heard] = server;
  assert.ok(asked !== undefined && heard !== undefined, "both ends were seen");
  assert.match(text([asked]), /^GET \/cart HTTP\/1\.1\r\nHost: /);
  assert.equal(text([heard]), text([asked]));
  assert.equal(heard.seq, asked.seq, "the same sequence number at both ends");
  assert.notEqual(asked.seq, -1);
  assert.match(text(server.filter((e) => e.direction === "egress")), /^HTTP\/1\.1 200 OK\r\n/);
  assert.deepEqual([asked.program.comm, heard.program.comm], ["curl", "nginx"]);
  assert.match(asked.program.exe, /\/curl$/);
  assert.deepEqual(asked.program.argv.slice(1, 2), ["-sS"]);
  assert.ok(heard.program.argv.join(" ").startsWith("nginx: worker"), "named by the list at start");
  assert.deepEqual(asked.connection.local, heard.connection.peer);
  for (const { conn } of [asked.connection, heard.connection]) {
    const closes = live.records.filter((r) => r.kind === "close" && r.connection.conn === conn);
    assert.equal(closes.length, 1, "each socket ends once");
  }
}

function assertUnix(live: Live, socket: string): void {
  const events = live.events().filter(({ connection }) => connection.transport === "unix");
  const asked = events.find((e) => text([e]).startsWith("GET /by-unix"));
  assert.ok(asked !== undefined && asked.direction === "egress");
  const heard = events.find((e) => e.connection.cookie === asked.connection.peerCookie);
  assert.ok(heard !== undefined && heard.direction === "ingress");
  assert.equal(text([heard]), text([asked]));
  assert.equal(heard.streamOffset, asked.streamOffset);
  assert.equal(heard.connection.local.ip, socket);
}

function assertRedis(live: Live, port: number): void {
  const { client, server } = ends(live, port);
  const command = "*3\r\n$3\r\nSET\r\n$6\r\ncart:7\r\n$1\r\nx\r\n";
  assert.equal(text(client.filter((e) => e.direction === "egress")), command);
  assert.equal(text(server.filter((e) => e.direction === "ingress")), command);
  assert.equal(text(client.filter((e) => e.direction === "ingress")), "+OK\r\n");
}

function assertDns(live: Live, port: number): void {
  const asked = live.events().find(({ connection: { transport, peer } }) =>
    transport === "udp" && peer.port === port
  );
  assert.ok(asked !== undefined && asked.direction === "egress");
  const heard = live.events().find((e) =>
    e.program.comm === "dnsmasq" && e.direction === "ingress" && text([e]) === text([asked])
  );
  assert.ok(heard !== undefined, "dnsmasq was seen to read the question");
  const from = heard.peer ?? heard.connection.peer;
  assert.equal(from.port, asked.connection.local.port, "the peer of the datagram is known");
}

e2e("kernel source: a recording made beside replays to the same, twice", {
  needs: ["bpf", "nginx", "curl", "redis"],
}, async () => {
  const file = await Deno.makeTempFile({ prefix: "spandrel-record-" });
  await using nginx = await startNginx();
  await using redis = await startRedis();
  try {
    using kernel = openKernelSource();
    const header = {
      host: kernel.host,
      version: "test",
      path: kernel.capture.path,
      started: new Date().toISOString(),
    };
    await using writer = await createRecording(file, header);
    kernel.recordInto(writer);
    using live = drive(kernel);
    await runToEnd("curl", { args: ["-sS", `${nginx.url}/[1-20]`] });
    const bench = ["-p", `${redis.port}`, "-q", "-n", "2000", "-c", "8", "-t", "set,get"];
    await using load = await startChild("redis-benchmark", { args: bench });
    const ended = (comm: string) => () =>
      live.records.some((r) =>
        r.kind === "process" && r.what === "exit" && r.program.comm === comm
      );
    await live.seen("the end of the load", ended("redis-benchmark"));
    await load.exited;
    await live.stop();
    await writer[Symbol.asyncDispose]();
    const { recordsLost, problem } = writer.progress;
    assert.deepEqual([recordsLost, problem, live.drops], [0, null, {}]);
    assert.ok(live.events().length > 8000, "the load was seen at both ends");
    assert.deepEqual(openReplay(file).header, header);
    const [first, second] = [
      await collect(openReplay(file).source, 7),
      await collect(
        openReplay(file).source,
        4096,
      ),
    ];
    assert.deepEqual(first.records.length, live.records.length);
    assert.deepEqual(first, second);
    assert.deepEqual(first.records, live.records);
    assert.deepEqual(first.watermarks.map(([, ns]) => ns), live.watermarks);
  } finally {
    await Deno.remove(file);
  }
});

e2e("kernel source: a verdict changes what comes of a socket", {
  needs: ["bpf", "redis", "python"],
}, async () => {
  await using redis = await startRedis();
  using kernel = openKernelSource();
  using live = drive(kernel);
  const script = `
import socket, sys
s = socket.create_connection(("127.0.0.1", ${redis.port}))
for line in sys.stdin:
    s.sendall(line.strip().encode() + b"\\r\\n")
    s.recv(100)
`;
  const process = new Deno.Command("python3", { args: ["-c", script], stdin: "piped" }).spawn();
  const input = process.stdin.getWriter();
  const say = (line: string) => input.write(new TextEncoder().encode(`${line}\n`));
  const spoken = () => live.events().filter((e) => e.connection.peer.port === redis.port);
  const answers = () => spoken().filter((e) => e.direction === "ingress").length;
  try {
    await say("PING one");
    await live.seen("the first answer", () => answers() === 1);
    const [first] = spoken();
    assert.ok(first !== undefined && text([first]) === "PING one\r\n");
    kernel.apply({ connection: first.connection, verdict: "count" });
    await say("PING two");
    await live.seen("the second answer", () => answers() === 2);
    assert.deepEqual(spoken().slice(2).map((e) => [e.length, e.payload.length]), [[10, 0], [9, 0]]);
    kernel.apply({ connection: first.connection, verdict: "prefix" });
    await say("PING three");
    await live.seen("the third answer", () => answers() === 3);
    assert.equal(text(spoken().slice(4, 5)), "PING three\r\n");
    kernel.apply({ connection: first.connection, verdict: "ignore" });
    await say("PING four");
    await input.close();
    await live.seen(
      "the end of the socket",
      () => live.records.some((r) => r.kind === "close" && r.connection === first.connection),
    );
    assert.equal(answers(), 3, "an ignored socket makes no records");
  } finally {
    await process.status;
  }
});
