// SPDX-License-Identifier: Apache-2.0
// Records of a compressed batch, as far as they were captured and are of interest.
//
//   gzip, zstd: as they are
//   snappy    : raw, or "\x82SNAPPY\0" version i32 ×2, then blocks: size i32 | raw
//   lz4       : magic u32le | flags u8 | block size u8 | [content size u64] [dictionary u32]
//               | header checksum u8, then blocks: size u32le, high bit: not packed | …

import { unpackGzip, unpackLz4, unpackSnappy, unpackZstd } from "../../../wire/payload/unpack.ts";

/** Of a batch; its first records stand in front. */
const BYTES_MAX = 65_536;
const NOTHING = new Uint8Array(0);

/** By the number in the attributes of the batch. */
export function unpackRecords(codec: number, packed: Uint8Array): Uint8Array {
  switch (codec) {
    case 1:
      return unpackGzip(packed, BYTES_MAX);
    case 2:
      return unpackXerial(packed);
    case 3:
      return unpackLz4Frame(packed);
    case 4:
      return unpackZstd(packed, BYTES_MAX);
    default:
      return NOTHING;
  }
}

const XERIAL_BYTES = 16;

/** The first block. */
function unpackXerial(packed: Uint8Array): Uint8Array {
  const isFramed = packed[0] === 0x82 && packed[1] === 0x53 && packed[2] === 0x4e;
  if (!isFramed) return unpackSnappy(packed, BYTES_MAX);
  const size = (packed[XERIAL_BYTES + 2] ?? 0) << 8 | (packed[XERIAL_BYTES + 3] ?? 0);
  const start = XERIAL_BYTES + 4;
  return unpackSnappy(packed.subarray(start, start + size), BYTES_MAX);
}

/** The first block. */
function unpackLz4Frame(packed: Uint8Array): Uint8Array {
  if (packed[0] !== 0x04 || packed[1] !== 0x22 || packed[2] !== 0x4d) return NOTHING;
  const flags = packed[4] ?? 0;
  const at = 7 + ((flags & 8) !== 0 ? 8 : 0) + ((flags & 1) !== 0 ? 4 : 0);
  const byte = (i: number): number => packed[at + i] ?? 0;
  const size = byte(0) | byte(1) << 8 | byte(2) << 16 | (byte(3) & 0x7f) << 24;
  const block = packed.subarray(at + 4, at + 4 + size);
  return (byte(3) & 0x80) !== 0 ? block : unpackLz4(block, BYTES_MAX);
}
