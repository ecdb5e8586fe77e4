// SPDX-License-Identifier: Apache-2.0
// Whatever packets are wrapped in, the same flow comes out.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Bytes,
  concat,
  ethernet,
  type FileForm,
  ipv4,
  ipv6,
  pcapFile,
  pcapngFile,
  udp,
} from "./packet_fixture.ts";
import { HTTP, HTTP_LINES, lines, read } from "../pcap_fixture.ts";

/** A data frame with quality of service, to an access point, and LLC. */
const WIRELESS = concat([0x88, 1], new Uint8Array(24), [0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);

Deno.test("pcap: every link layer leads to the same flow", async () => {
  const cooked = new Uint8Array(16);
  cooked.set([0x08, 0x00], 14);
  const cooked2 = new Uint8Array(20);
  cooked2.set([0x08, 0x00], 0);
  const headers: [linkType: number, header: Uint8Array][] = [
    [0, new Uint8Array([2, 0, 0, 0])],
    [101, new Uint8Array()],
    [12, new Uint8Array()],
    [228, new Uint8Array()],
    [108, new Uint8Array([0, 0, 0, 2])],
    [113, cooked],
    [276, cooked2],
    [9, new Uint8Array([0xff, 3, 0, 0x21])],
    [9, new Uint8Array([0x21])],
    [50, new Uint8Array([0xff, 3, 0, 0x21])],
    [104, new Uint8Array([0x0f, 0, 8, 0])],
    [107, new Uint8Array([0x18, 0x41, 3, 0xcc])],
    [107, new Uint8Array([0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0])],
    [239, new Uint8Array([2, 0, 0, 0, 6, 0, 10, 0, 65, 0, 0, 0, 4, 0, 9, 0])],
    [105, WIRELESS],
    [119, concat([0, 0, 0, 0x44, 8, 0, 0, 0], WIRELESS)],
    [127, concat([0, 0, 8, 0, 0, 0, 0, 0], WIRELESS)],
    // Time and flags, which say that the header is padded; two words of what is present.
    [
      127,
      concat(
        [0, 0, 26, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
        [1, 2, 3, 4, 5, 6, 7, 8, 0x20, 0],
        WIRELESS.subarray(0, 26),
        [0, 0],
        WIRELESS.subarray(26),
      ),
    ],
  ];
  for (const [linkType, header] of headers) {
    const packets = HTTP.map(({ timeNs, bytes }) => ({
      timeNs,
      bytes: concat(header, bytes.subarray(14)),
    }));
    assert.deepEqual(lines((await read(pcapFile(packets, { linkType }))).records), HTTP_LINES);
  }
});

/** What comes between Ethernet and the innermost IP header. */
const OUTER = { from: [192, 168, 0, 1], to: [192, 168, 0, 2] };
const WRAPPINGS: Record<string, (ip: Bytes) => Bytes> = {
  "VLAN": (ip) => ethernet(0x8100, concat([0, 5, 8, 0], ip)),
  "QinQ": (ip) => ethernet(0x88a8, concat([0, 5, 0x81, 0, 0, 6, 8, 0], ip)),
  "MPLS": (ip) => ethernet(0x8847, concat([0, 1, 0, 64, 0, 2, 1, 64], ip)),
  "PPPoE": (ip) => ethernet(0x8864, concat([0x11, 0, 0, 1, 0, 99, 0, 0x21], ip)),
  "IPIP": (ip) => ethernet(0x0800, ipv4({ ...OUTER, protocol: 4 }, ip)),
  "VXLAN": (ip) => {
    const inner = concat([8, 0, 0, 0, 0, 0, 7, 0], ethernet(0x0800, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 17 }, udp(50_000, 4789, inner)));
  },
  "Geneve with options": (ip) => {
    const inner = concat([1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4], ethernet(0x0800, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 17 }, udp(50_000, 6081, inner)));
  },
  "GRE with key": (ip) =>
    ethernet(0x0800, ipv4({ ...OUTER, protocol: 47 }, concat([0x20, 0, 8, 0, 0, 0, 0, 1], ip))),
  "GRE bridging": (ip) => {
    const inner = concat([0, 0, 0x65, 0x58], ethernet(0x0800, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 47 }, inner));
  },
  "ERSPAN I": (ip) => {
    const inner = concat([0, 0, 0x88, 0xbe], ethernet(0x0800, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 47 }, inner));
  },
  "ERSPAN II": (ip) => {
    const head = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0];
    const inner = concat(head, ethernet(0x0800, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 47 }, inner));
  },
  "ERSPAN III with subheader": (ip) => {
    const head = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    const inner = concat(head, [0, 0, 0, 0, 0, 0, 0, 0], ethernet(0x0800, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 47 }, inner));
  },
  "LLC": (ip) => ethernet(60 + ip.length, concat([0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip)),
  "VN-Tag": (ip) => ethernet(0x8926, concat([0, 1, 0, 2, 8, 0], ip)),
  "GRE with PPP": (ip) => {
    const inner = concat([0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 1], new Uint8Array(8), [0x21], ip);
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 47 }, inner));
  },
  "GRE with wireless frames": (ip) => {
    const inner = concat([0, 0, 0x82, 0], WIRELESS, ip);
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 47 }, inner));
  },
  "EtherIP": (ip) => {
    const inner = concat([0x30, 0], ethernet(0x0800, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 97 }, inner));
  },
  "VXLAN that names its protocol": (ip) => {
    const inner = concat([0x0c, 0, 0, 1, 0, 0, 7, 0], ip);
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 17 }, udp(50_000, 4790, inner)));
  },
  "GTP": (ip) => {
    const inner = concat([0x30, 0xff, 0, 99, 0, 0, 0, 7], ip);
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 17 }, udp(2152, 2152, inner)));
  },
  "GTP with an extension": (ip) => {
    const inner = concat([0x34, 0xff, 0, 99, 0, 0, 0, 7, 0, 0, 0, 0x85, 1, 0, 9, 0], ip);
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 17 }, udp(2152, 2152, inner)));
  },
  "GRE in UDP": (ip) => {
    const inner = concat([0, 0, 8, 0], ip);
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 17 }, udp(50_000, 4754, inner)));
  },
  "IPIP in Teredo": (ip) => {
    const from = [...new Array(15).fill(0), 1], to = [...new Array(15).fill(0), 2];
    const origin = [0, 0, 1, 2, 3, 4, 5, 6];
    const inner = concat(origin, ipv6(from, to, 4, ip));
    return ethernet(0x0800, ipv4({ ...OUTER, protocol: 17 }, udp(50_000, 3544, inner)));
  },
  "IPIP in VXLAN in IPv6": (ip) => {
    const inner = concat([8, 0, 0, 0, 0, 0, 7, 0], WRAPPINGS["IPIP"]?.(ip) ?? []);
    const from = [...new Array(15).fill(0), 1], to = [...new Array(15).fill(0), 2];
    return ethernet(0x86dd, ipv6(from, to, 17, udp(50_000, 4789, inner)));
  },
};

for (const [name, wrap] of Object.entries(WRAPPINGS)) {
  Deno.test(`pcap: ${name} is unwrapped`, async () => {
    const packets = HTTP.map(({ timeNs, bytes }) => ({ timeNs, bytes: wrap(bytes.slice(14)) }));
    const { records, drops } = await read(pcapFile(packets));
    assert.deepEqual(lines(records), HTTP_LINES);
    assert.deepEqual(drops, {});
  });
}

const LINK_TYPES = [0, 9, 50, 104, 105, 107, 113, 119, 127, 163, 239, 276];

Deno.test("pcap: damaged files never throw once they are open", async () => {
  const forms: FileForm[] = [{}, { nanoseconds: true }];
  const nested = Object.values(WRAPPINGS).map((wrap) =>
    HTTP.map(({ timeNs, bytes }) => ({ timeNs, bytes: wrap(bytes.slice(14)) }))
  );
  const files = [
    ...forms.map((form) => pcapFile(HTTP, form)),
    ...nested.map((packets) => pcapFile(packets)),
    ...nested.map((packets) => pcapngFile(packets)),
    ...LINK_TYPES.map((linkType) => pcapFile(HTTP, { linkType })),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
      fc.nat(),
      async (file, changes, cut) => {
        const damaged = file.slice(0, 60 + cut % (file.length - 60));
        for (const [where, value] of changes) damaged[60 + where % (damaged.length - 60)] = value;
        await read(damaged);
      },
    ),
    { numRuns: 600 },
  );
});
