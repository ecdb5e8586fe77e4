// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { fromArray } from "../../../engine/source.ts";
import type { CaptureRecord, SocketEvent } from "../../../model/capture_record.ts";
import type { Connection } from "../../../model/connection.ts";
import { NO_PROGRAM } from "../../../model/process.ts";
import { pcapFrom } from "../../../operators/sources/pcap.ts";
import { collect, inputOf } from "../../../operators/sources/source_fixture.ts";
import { Conversation } from "../../../tests/support/wire/conversation.ts";
import { writePcapng } from "./write_pcapng.ts";

const header = {
  host: { name: "h", bootId: "b", kernel: "6.1", machine: "x86_64" },
  version: "0",
  path: "fast",
  started: "",
};
const clock = {
  kind: "clock",
  emitNs: 1n,
  bootNs: 0n,
  realNs: 1_700_000_000_000_000_000n,
} as const;

async function written(records: readonly CaptureRecord[]) {
  const blocks: Uint8Array[] = [];
  const source = fromArray<CaptureRecord>([clock, ...records]);
  const counts = await writePcapng({ header, source }, {}, (block) => blocks.push(block.slice()));
  const bytes = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  const { records: read, drops } = await collect(pcapFrom(() => inputOf(bytes), "test"));
  assert.deepEqual(drops, {});
  const data = read.flatMap((r) => r.kind === "data" ? [r] : []);
  return { bytes, counts, packets: packetsIn(bytes), read, data: data.filter((r) => !r.eof) };
}

/** Captured bytes and wire length of each enhanced packet block. */
function packetsIn(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer);
  const packets: { bytes: Uint8Array; wire: number; comment: string; timeNs: bigint }[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) !== 6) continue;
    const length = view.getUint32(at + 20, true);
    const optionAt = at + 28 + ((length + 3) & ~3);
    const textBytes = view.getUint16(optionAt, true) === 1 ? view.getUint16(optionAt + 2, true) : 0;
    packets.push({
      bytes: bytes.subarray(at + 28, at + 28 + length),
      wire: view.getUint32(at + 24, true),
      comment: new TextDecoder().decode(bytes.subarray(optionAt + 4, optionAt + 4 + textBytes)),
      timeNs: (BigInt(view.getUint32(at + 12, true)) << 32n) +
        BigInt(view.getUint32(at + 16, true)),
    });
  }
  return packets;
}

const isSum = (sum: number) => {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + (rest >>> 16);
  return rest === 0xffff;
};
const words = (bytes: Uint8Array) =>
  bytes.reduce((sum, byte, i) => sum + (i % 2 === 0 ? byte * 256 : byte), 0);

/** Both ends of one connection on loopback. */
function twoEnds(change: Partial<Connection> = {}) {
  const client = new Conversation({ conn: 0, cookie: 10n, role: "client", ...change });
  const { local, peer } = client.connection;
  const server = new Conversation({
    ...change,
    conn: 1,
    cookie: 11n,
    role: "server",
    local: peer,
    peer: local,
  });
  return { client, server };
}

const by = (event: SocketEvent, program: number, comm: string): SocketEvent => ({
  ...event,
  program: { ...NO_PROGRAM, program, tgid: 100 * program, comm },
});

const text = (event: SocketEvent) => new TextDecoder().decode(event.payload);

Deno.test("bytes that both ends saw are there once, at the kernel's sequence numbers", async () => {
  const { client, server } = twoEnds();
  const { data, packets, read, counts } = await written([
    by(client.up("GET / HTTP/1.1\r\n\r\n"), 1, "curl"),
    by(server.up("GET / HTTP/1.1\r\n\r\n"), 2, "nginx"),
    by(server.down("HTTP/1.1 204 No\r\n\r\n"), 2, "nginx"),
    by(client.down("HTTP/1.1 204 No\r\n\r\n"), 1, "curl"),
    client.close(),
    server.close(),
  ]);
  assert.deepEqual(data.map(text), ["GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n"]);
  assert.deepEqual(data.map(({ seq }) => seq), [1_000, 1_000]);
  assert.deepEqual(data.map(({ direction }) => direction), ["ingress", "egress"]);
  const flags = packets.map(({ bytes }) => bytes[33]);
  assert.deepEqual(flags, [2, 0x12, 0x10, 0x18, 0x10, 0x18, 0x10, 0x11, 0x11, 0x10]);
  assert.equal(packets[3]?.comment, "curl pid 100 tid 100 wrote 18 bytes");
  assert.equal(packets[4]?.comment, "nginx pid 200 tid 100 read 18 bytes");
  assert.equal(packets[3]?.timeNs, 1_700_000_001_001_000_000n);
  assert.ok(read.some((r) => r.kind === "close" && r.reason === "close"));
  assert.deepEqual(counts, { packets: 10, clipped: 0, interfaces: 2, lost: 0 });
});

Deno.test("checksums are right for IPv4 and IPv6, TCP and UDP, at odd lengths", async () => {
  for (const [a, b] of [["10.0.0.1", "10.0.0.2"], ["fe80::1", "2001:db8::2:1"]] as const) {
    for (const transport of ["tcp", "udp"] as const) {
      const talk = new Conversation({
        conn: 0,
        transport,
        local: { ip: a, port: 40_000 },
        peer: { ip: b, port: 53 },
      });
      const { packets } = await written([talk.up("odd"), talk.down("even"), talk.close()]);
      assert.ok(packets.length >= 2);
      for (const { bytes, wire } of packets) {
        assert.equal(bytes.length, wire);
        const isIpv4 = a.includes(".");
        const head = isIpv4 ? 20 : 40;
        const addresses = isIpv4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40);
        const protocol = (isIpv4 ? bytes[9] : bytes[6]) ?? 0;
        assert.equal(protocol, transport === "tcp" ? 6 : 17);
        if (isIpv4) assert.ok(isSum(words(bytes.subarray(0, 20))), "IP");
        const pseudo = words(addresses) + protocol + bytes.length - head;
        assert.ok(isSum(pseudo + words(bytes.subarray(head))), transport);
      }
    }
  }
});

Deno.test("what was not kept is cut as by a snap length, in every segment", async () => {
  const talk = new Conversation({ conn: 0 });
  const { packets, data, counts } = await written([
    talk.up(new Uint8Array(70_000).fill(65), { captured: 100 }),
    talk.up("tail"),
  ]);
  const sizes = packets.slice(3).map((
    { bytes, wire },
  ) => [bytes.length, wire]);
  assert.deepEqual(sizes, [[140, 40 + 65_483], [40, 40 + 4_517], [44, 44]]);
  assert.deepEqual(data.map(({ length }) => length), [65_483, 4_517, 4]);
  assert.deepEqual(data.map(({ seq }) => seq), [1_000, 66_483, 71_000]);
  assert.equal(counts.clipped, 2);
  assert.match(packets[3]?.comment ?? "", /wrote 70000 bytes, 100 kept/);
});

Deno.test("lost events are missing segments; an older connection has no handshake", async () => {
  const talk = new Conversation({ conn: 0, joinedMidstream: true, startNs: 0n });
  const first = talk.up("one");
  talk.up("lost");
  const { packets, data } = await written([first, talk.up("three")]);
  assert.deepEqual(packets.map(({ bytes }) => bytes[33]), [0x18, 0x18]);
  assert.deepEqual(data.map(({ seq }) => seq), [1_000, 1_007]);
});

Deno.test("the end that saw more of the bytes tells them", async () => {
  const { client, server } = twoEnds();
  const { data, packets } = await written([
    client.up("0123456789", { captured: 0 }),
    server.up("0123456789"),
  ]);
  assert.deepEqual(data.map(text), ["0123456789"]);
  assert.equal(packets.length, 4, "the write of unknown bytes is no packet");
});

Deno.test("a reset ends with RST, and the same ports may be used again", async () => {
  const first = twoEnds(), second = twoEnds({ startNs: 9_000_000_000n });
  const again = [second.client, second.server].map((talk, i) =>
    Object.assign(talk.connection, { conn: 2 + i, cookie: 20n + BigInt(i) }) && talk
  );
  const [client, server] = again;
  assert.ok(client !== undefined && server !== undefined);
  const atNs = 9_001_000_000n;
  const { data, packets } = await written([
    first.client.up("a"),
    first.server.up("a"),
    first.client.close("reset"),
    first.server.close("reset"),
    client.up("b", { atNs }),
    server.up("b", { atNs }),
  ]);
  assert.deepEqual(data.map(text), ["a", "b"]);
  const flags = packets.map(({ bytes }) => bytes[33]);
  assert.deepEqual(flags, [2, 0x12, 0x10, 0x18, 0x10, 0x14, 2, 0x12, 0x10, 0x18, 0x10]);
});

Deno.test("a datagram that was sent and received is one packet, also to a wildcard", async () => {
  const client = new Conversation({
    conn: 0,
    cookie: 1n,
    transport: "udp",
    peer: { ip: "127.0.0.1", port: 53 },
  });
  const server = new Conversation({
    conn: 1,
    cookie: 2n,
    transport: "udp",
    role: "server",
    local: { ip: "0.0.0.0", port: 53 },
    peer: { ip: "", port: 0 },
  });
  const peer = { ip: "127.0.0.1", port: 40_000 };
  const { data, packets } = await written([
    client.up("question"),
    { ...server.up("question"), peer },
    { ...server.down("answer"), peer },
    client.down("answer"),
    { ...server.down("unheard"), peer },
  ]);
  assert.deepEqual(data.map(text), ["question", "answer", "unheard"]);
  assert.ok(packets.every(({ bytes }) => bytes[12] === 127 && bytes[16] === 127));
});

Deno.test("unix sockets: one TCP flow, to the port that the path tells", async () => {
  const path = { ip: "/run/postgresql/.s.PGSQL.5432", port: 0 };
  const none = { ip: "", port: 0 };
  const { client, server } = twoEnds({ transport: "unix", local: none, peer: path });
  Object.assign(client.connection, { peerCookie: 11n });
  Object.assign(server.connection, { local: path, peer: none, peerCookie: 10n });
  const { data, bytes } = await written([client.up("Q"), server.up("Q"), server.down("Z")]);
  assert.deepEqual(data.map(text), ["Q", "Z"]);
  assert.equal(data[0]?.connection.local.port, 5432);
  assert.match(data[0]?.connection.local.ip ?? "", /^127\.\d+\.\d+\.\d+$/);
  assert.ok(new TextDecoder().decode(bytes).includes(path.ip), "in a name record");
});

Deno.test("packets are in the order of time, handshakes of idle connections too", async () => {
  const early = new Conversation({ conn: 0, startNs: 1_000_000_000n });
  const idle = new Conversation({
    conn: 1,
    cookie: 5n,
    startNs: 1_000_500_000n,
    local: { ip: "127.0.0.1", port: 40_001 },
  });
  const { packets } = await written([early.up("a"), early.down("b"), idle.up("c")]);
  const times = packets.map(({ timeNs }) => timeNs);
  assert.deepEqual(times, times.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0));
  assert.equal(times[3], 1_700_000_001_000_500_000n, "the idle one's SYN");
});

Deno.test("reads that follow each other at once are one segment", async () => {
  const server = new Conversation({ conn: 0, role: "server" });
  const atNs = 1_001_000_000n;
  const { data, packets } = await written([
    server.up("\0\x03", { atNs }),
    server.up("abc", { atNs: atNs + 10_000n }),
    server.up("later", { atNs: atNs + 2_000_000n }),
    server.down("reply", { atNs: atNs + 2_010_000n }),
    server.up("last", { atNs: atNs + 2_020_000n }),
  ]);
  assert.deepEqual(data.map(text), ["\0\x03abc", "later", "reply", "last"]);
  assert.equal(packets[3]?.comment, "test pid 100 tid 100 read 5 bytes");
});
