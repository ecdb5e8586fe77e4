// SPDX-License-Identifier: Apache-2.0
// Canonical text of IP addresses: dotted IPv4, RFC 5952 IPv6; IPv4-mapped IPv6 is written as IPv4.

/** Text of the 4-byte address at `at`. */
export function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** Text of the 16-byte address at `at`. */
export function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push(((bytes[at + i] ?? 0) << 8) | (bytes[at + i + 1] ?? 0));
  }
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return formatIpv4(bytes, at + 12);
  }
  const [from, length] = longestZeroRun(groups);
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

const hex = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(":");

/** First of the longest runs of zero groups: what "::" stands for. */
function longestZeroRun(groups: readonly number[]): [from: number, length: number] {
  let from = 0, length = 0;
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i > length) [from, length] = [i, end - i];
    i = Math.max(i, end - 1);
  }
  return [from, length];
}
