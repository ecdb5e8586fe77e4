// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { formatIpv4, formatIpv6 } from "./ip_text.ts";

/** Bytes of an address given as eight groups. */
const ipv6 = (...groups: number[]): string =>
  formatIpv6(new Uint8Array(groups.flatMap((group) => [group >> 8, group & 0xff])), 0);

Deno.test("ip text: IPv4 at an offset", () => {
  assert.equal(formatIpv4(new Uint8Array([9, 192, 168, 0, 255]), 1), "192.168.0.255");
});

Deno.test("ip text: IPv6 as RFC 5952 asks", () => {
  assert.equal(ipv6(0, 0, 0, 0, 0, 0, 0, 0), "::");
  assert.equal(ipv6(0, 0, 0, 0, 0, 0, 0, 1), "::1");
  assert.equal(ipv6(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1", "the first of two runs");
  assert.equal(ipv6(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), "2001:db8:0:1:1:1:1:1", "one group stays");
  assert.equal(ipv6(0x2001, 0, 0, 1, 0, 0, 0, 1), "2001:0:0:1::1", "the longest run");
  assert.equal(ipv6(0xfe80, 0, 0, 0, 0, 0, 0, 0), "fe80::");
  assert.equal(ipv6(0, 0, 0, 0, 0, 0xffff, 0x0a01, 0x0203), "10.1.2.3", "IPv4-mapped");
});
