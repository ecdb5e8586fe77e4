// SPDX-License-Identifier: Apache-2.0
// Addresses of IPv6 as text.

/** RFC 5952: the first of the longest runs of zero groups, of two or more, becomes `::`. */
export function formatIpv6(bytes: Uint8Array): string {
  let from = 0, length = 1;
  for (let i = 0, start = 0; i < 8; i++) {
    if (u16(bytes, i * 2) !== 0) start = i + 1;
    else if (i + 1 - start > length) {
      from = start;
      length = i + 1 - start;
    }
  }
  if (length < 2) return groups(bytes, 0, 8);
  return `${groups(bytes, 0, from)}::${groups(bytes, from + length, 8)}`;
}

function groups(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += (i > from ? ":" : "") + u16(bytes, i * 2).toString(16);
  return text;
}

const u16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) << 8 | (bytes[at + 1] as number);
