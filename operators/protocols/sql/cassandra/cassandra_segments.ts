// SPDX-License-Identifier: Apache-2.0
// Whether bytes begin with a segment of version 5: the checksum of its head tells, even midway.
//
//   plain     : 24 bits, little endian (17 length, 1 self-contained) | crc u24le | envelopes | crc
//   compressed: 40 bits (17 packed, 17 unpacked, 1 self-contained) | crc u24le | LZ4 | crc

import type { Claim } from "../../../wire/protocol.ts";

export type Segmented = "no" | "plain" | "compressed";

const PLAIN_BYTES = 3, PACKED_BYTES = 5, CRC_BYTES = 3, TRAILER_BYTES = 4;
/** So many bytes are needed to tell. */
export const TOLD_BYTES = PACKED_BYTES + CRC_BYTES + 1;
const POLYNOMIAL = 0x1974f0b, INITIAL = 0x875060;

/** What stands at `at`, where TOLD_BYTES must be. */
export function segmentedAt(bytes: Uint8Array, at: number): Segmented {
  if (checks(bytes, at, PLAIN_BYTES)) return "plain";
  return checks(bytes, at, PACKED_BYTES) ? "compressed" : "no";
}

/** Requests and responses are told apart by the version in their first envelope. */
export function probeSegments(bytes: Uint8Array, length: number): Claim {
  // A segment goes out in one piece: this spares most strangers the checksums.
  const size = lengthOf(bytes);
  const fits = size > 0 && size + PLAIN_BYTES + CRC_BYTES + TRAILER_BYTES <= length;
  const segmented = fits && bytes.length >= TOLD_BYTES ? segmentedAt(bytes, 0) : "no";
  if (segmented === "no") return { kind: "no" };
  const at = segmented === "plain" ? PLAIN_BYTES + CRC_BYTES : packedTextAt(bytes);
  const version = bytes[at] ?? 0;
  if (version === 5) return { kind: "request", score: 96 };
  return version === 0x85 ? { kind: "response", score: 96 } : { kind: "no" };
}

const lengthOf = (bytes: Uint8Array): number =>
  (bytes[0] ?? 0) | (bytes[1] ?? 0) << 8 | ((bytes[2] ?? 0) & 1) << 16;

/** Behind the head, and behind the token with which LZ4 counts its first bytes. */
function packedTextAt(bytes: Uint8Array): number {
  let at = PACKED_BYTES + CRC_BYTES;
  const plainBytes = (bytes[2] ?? 0) >> 1 | (bytes[3] ?? 0) | (bytes[4] ?? 0) & 3;
  if (plainBytes === 0) return at;
  if ((bytes[at++] ?? 0) >> 4 < 15) return at;
  while (bytes[at] === 255) at++;
  return at + 1;
}

/** The three bytes behind `count` bytes are their checksum. */
function checks(bytes: Uint8Array, at: number, count: number): boolean {
  let crc = INITIAL;
  for (let i = at; i < at + count; i++) {
    crc ^= (bytes[i] ?? 0) << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= POLYNOMIAL;
    }
  }
  const end = at + count;
  return crc === ((bytes[end] ?? 0) | (bytes[end + 1] ?? 0) << 8 | (bytes[end + 2] ?? 0) << 16);
}
