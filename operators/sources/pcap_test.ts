// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { pcap } from "./pcap.ts";
import {
  type Bytes,
  concat,
  ethernet,
  ipv4,
  ipv6,
  pcapFile,
  pcapngFile,
  tcp,
  text,
  udp,
} from "./packets/packet_fixture.ts";
import {
  at,
  CLIENT,
  ENDS,
  framed,
  HTTP,
  HTTP_LINES,
  lines,
  read,
  SERVER,
  toClient,
  toServer,
} from "./pcap_fixture.ts";
import { collect } from "./source_fixture.ts";

Deno.test("pcap: a TCP flow becomes records with offsets, ends and sequence numbers", async () => {
  const { records, drops } = await read(pcapFile(HTTP));
  assert.deepEqual(lines(records), HTTP_LINES);
  assert.deepEqual(drops, {});
  const [clock, first, second] = records;
  assert.deepEqual(clock, { kind: "clock", emitNs: at(0), bootNs: at(0), realNs: at(0) });
  assert.ok(first?.kind === "data" && second?.kind === "data");
  assert.equal(first.emitNs, at(2));
  assert.equal(first.seq, 0xffffffff);
  assert.equal(second.seq, 5, "sequence numbers wrap");
  assert.equal(first.connection, second.connection, "one object per flow");
  const { observer, role, joinedMidstream, startNs } = first.connection;
  assert.deepEqual([observer, role, joinedMidstream, startNs], ["nic", "server", false, at(0)]);
});

Deno.test("pcap: all byte orders and resolutions of both formats say the same", async () => {
  const files = [true, false].flatMap((littleEndian) => [
    pcapFile(HTTP, { littleEndian }),
    pcapFile(HTTP, { littleEndian, nanoseconds: true }),
    pcapngFile(HTTP, { littleEndian }),
    pcapngFile(HTTP, { littleEndian, resolution: 9 }),
    pcapngFile(HTTP, { littleEndian, resolution: 10 }),
    pcapngFile(HTTP, { littleEndian, offsetSeconds: 1_000_000_000 }),
  ]);
  const want = await read(pcapFile(HTTP));
  for (const file of files) assert.deepEqual(await read(file), want);
  const binary = await read(pcapngFile(HTTP, { resolution: 0x80 | 20 }));
  const [, first] = binary.records;
  assert.ok(first !== undefined && at(2) - first.emitNs < 1000n && at(2) >= first.emitNs);
});

Deno.test("pcap: sections, simple packets and unknown blocks of pcapng", async () => {
  const simple = await read(pcapngFile(HTTP, { simple: true }));
  assert.deepEqual(lines(simple.records), HTTP_LINES);
  const unknown = new Uint8Array([0xad, 0x0b, 0, 0, 16, 0, 0, 0, 1, 2, 3, 4, 16, 0, 0, 0]);
  const file = concat(
    pcapngFile(HTTP.slice(0, 3), { littleEndian: false }),
    pcapngFile([]),
    unknown,
    pcapngFile(HTTP.slice(3)),
  );
  const { records, drops } = await read(file);
  assert.deepEqual(lines(records), HTTP_LINES);
  assert.deepEqual(drops, {});
});

Deno.test("pcap: what was lost when the file was made is counted", async () => {
  const statistics = (on: number, lost: number) => {
    const view = new DataView(new ArrayBuffer(44));
    [5, 44, on, 0, 0, 5 | 8 << 16, lost].forEach((word, i) => view.setUint32(i * 4, word, true));
    view.setUint32(40, 44, true);
    return new Uint8Array(view.buffer);
  };
  const file = concat(pcapngFile(HTTP), statistics(0, 3), statistics(0, 5), statistics(9, 7));
  assert.deepEqual((await read(file)).drops, { packet_lost: 5 });
  assert.deepEqual((await read(concat(file, file), 50)).drops, { packet_lost: 10 });
});

Deno.test("pcap: IPv6 with extension headers, canonical addresses", async () => {
  const from = [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1];
  const to = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2];
  const segment = tcp({ from: 40_000, to: 80, seq: 7, payload: text("hi") });
  const hopByHop = [60, 0, 0, 0, 0, 0, 0, 0];
  const options = [44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const atomicFragment = [6, 0, 0, 0, 0, 0, 0, 9];
  const ip = ipv6(from, to, 0, concat(hopByHop, options, atomicFragment, segment));
  const { records } = await read(pcapFile([{ timeNs: at(0), bytes: ethernet(0x86dd, ip) }]));
  assert.deepEqual(lines(records), ["0 [2001:db8::1]:40000>[2001:db8:0:1::2]:80 ingress @0 2:hi"]);
});

Deno.test("pcap: fragments are put together in any order, lost ones are counted", async () => {
  const whole = udp(5000, 53, text("x".repeat(100)));
  const pieces = [[64, 108, 0], [0, 32, 0x2000], [32, 64, 0x2000]].map(([from = 0, to, more = 0]) =>
    ipv4(
      { from: CLIENT, to: SERVER, protocol: 17, id: 9, fragment: more | (from / 8) },
      whole.subarray(from, to),
    )
  );
  const { records, drops } = await read(pcapFile(framed(...pieces)));
  assert.deepEqual(lines(records), [
    `0 10.0.0.1:5000>10.0.0.2:53 ingress @0 100:${"x".repeat(100)}`,
  ]);
  assert.deepEqual(drops, {});
  const late = [...framed(...pieces.slice(0, 1)), {
    timeNs: at(60_000),
    bytes: ethernet(0x0806, text("")),
  }];
  assert.deepEqual((await read(pcapFile(late))).drops, { packet_malformed: 1 });
});

Deno.test("pcap: the first fragment of a datagram is read when no other comes", async () => {
  const whole = udp(5000, 53, text("x".repeat(100)));
  const address = { from: CLIENT, to: SERVER, protocol: 17, id: 9 };
  const first = ipv4({ ...address, fragment: 0x2000 }, whole.subarray(0, 64));
  const last = ipv4({ ...address, fragment: 8 }, whole.subarray(64));
  const other = ipv4({ ...address, id: 10 }, udp(5001, 53, text("later")));
  const cut = `10.0.0.1:5000>10.0.0.2:53 ingress @0 100:${"x".repeat(56)}`;
  const apart = framed(first, other).map((packet, i) => ({ ...packet, timeNs: at(2_000 * i) }));
  const { records, drops } = await read(pcapFile(apart));
  assert.deepEqual(lines(records), [`0 ${cut}`, "1 10.0.0.1:5001>10.0.0.2:53 ingress @0 5:later"]);
  assert.deepEqual(drops, {});
  assert.deepEqual(lines((await read(pcapFile(framed(first)))).records), [`0 ${cut}`]);
  assert.deepEqual((await read(pcapFile(framed(last)))).records.length, 1, "the clock alone");
});

Deno.test("pcap: datagrams have offsets; port 53 is the server, whoever speaks first", async () => {
  const down = { from: SERVER, to: CLIENT, protocol: 17 };
  const up = { from: CLIENT, to: SERVER, protocol: 17 };
  const packets = framed(
    ipv4(down, udp(53, 40_000, text("late"))),
    ipv4(up, udp(40_000, 53, text("ask"))),
    ipv4(up, udp(40_000, 53, text(""))),
    ipv4(down, udp(53, 40_000, text("answer"))),
  );
  const idle = {
    timeNs: at(200_000),
    bytes: ethernet(0x0800, ipv4(up, udp(40_001, 53, text("b")))),
  };
  const { records } = await read(pcapFile([...packets, idle]));
  assert.deepEqual(lines(records), [
    `0 ${ENDS.replace(":80", ":53")} egress @0 4:late`,
    `0 ${ENDS.replace(":80", ":53")} ingress @0 3:ask`,
    `0 ${ENDS.replace(":80", ":53")} egress @4 6:answer`,
    "0 close close",
    "1 10.0.0.1:40001>10.0.0.2:53 ingress @0 1:b",
  ]);
});

Deno.test("pcap: snap length clips payloads, padding is no payload", async () => {
  const ip = toServer({ seq: 1, payload: text("0123456789") });
  const { records, drops } = await read(pcapFile([
    { timeNs: at(0), bytes: ethernet(0x0800, ip), captured: 14 + 40 + 4 },
    {
      timeNs: at(1),
      bytes: concat(ethernet(0x0800, toServer({ seq: 11, payload: text("a") })), [0, 0]),
    },
    {
      timeNs: at(2),
      bytes: ethernet(0x0800, toServer({ seq: 12, payload: text("b") })),
      captured: 40,
    },
  ]));
  assert.deepEqual(lines(records), [`0 ${ENDS} ingress @0 10:0123`, `0 ${ENDS} ingress @10 1:a`]);
  assert.deepEqual(drops, { packet_malformed: 1 });
});

Deno.test("pcap: resets, reused ports and flows joined midstream", async () => {
  const { records } = await read(pcapFile(framed(
    toClient({ seq: 900, payload: text("rest") }),
    toClient({ seq: 890, payload: text("before rest") }),
    toServer({ seq: 50, flags: "R" }),
    toClient({ seq: 904, payload: text("ignored") }),
    toServer({ seq: 70, flags: "S" }),
    toServer({ seq: 70, flags: "S" }),
    toServer({ seq: 71, payload: text("again") }),
    toServer({ seq: 3000, flags: "S" }),
  )));
  assert.deepEqual(lines(records), [
    `0 ${ENDS} egress @0 4:rest`,
    `0 ${ENDS} egress @0 1:t`,
    "0 close reset",
    `1 ${ENDS} ingress @0 5:again`,
    "1 close close",
  ]);
  const cookies = new Set(records.map((r) => r.kind === "data" ? r.connection.cookie : 0n));
  assert.equal(cookies.size, 3, "a flow that reuses ports has another cookie");
});

Deno.test("pcap: what cannot be read is refused in one sentence", async () => {
  const refused: [Bytes, RegExp][] = [
    [text(""), /^Cannot read capture file test: it ends before its first packet$/],
    [text("not a capture file at all, really"), /neither pcap nor pcapng/],
    [concat([0x1f, 0x8b], new Uint8Array(30)), /compressed, run gunzip/],
    [pcapFile([], { linkType: 147 }), /link layer \(LINKTYPE 147\) is not read/],
  ];
  for (const [file, message] of refused) {
    await assert.rejects(() => read(file), { message });
  }
  await assert.rejects(() => collect(pcap("/no/such.pcap")), {
    message: "Cannot read capture file /no/such.pcap: no such file",
  });
  await assert.rejects(() => collect(pcap("/")), { message: /it is a directory/ });
});

Deno.test("pcap: a cut tail is counted and the rest kept", async () => {
  const file = pcapFile(HTTP);
  const { records, drops } = await read(file.slice(0, file.length - 5));
  assert.deepEqual(lines(records), HTTP_LINES);
  assert.deepEqual(drops, { packet_malformed: 1 });
  const other = pcapngFile(HTTP, { linkType: 147 });
  assert.deepEqual((await read(other)).drops, { packet_unsupported: HTTP.length });
});

Deno.test("pcap: the same records for any chunk size and any drain size", async () => {
  for (const file of [pcapFile(HTTP), pcapngFile(HTTP)]) {
    const want = await read(file);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 5 }),
        async (chunkBytes, recordsMax) => {
          assert.deepEqual(await read(file, chunkBytes, recordsMax), want);
        },
      ),
      { numRuns: 30 },
    );
  }
});
