// SPDX-License-Identifier: Apache-2.0
// Undoes LZ4 (block format), Snappy (raw format), zlib and Zstandard as far as the bytes go.
//
//   LZ4   : token (literals 4 bits, match 4 bits) | [more of 15: u8 …] | literals | offset u16
//           | [more]
//   Snappy: length varint | tag: 00 literal, 01 copy (11 bits), 10 copy u16, 11 copy u32
//
// Both are little endian. What is cut short, or refers to before the beginning, ends the output.

import * as zlib from "node:zlib";

const NOTHING = new Uint8Array(0);

/** At most `bytesMax` bytes of output; nothing if they are none, or more. */
export function unpackZlib(input: Uint8Array, bytesMax: number): Uint8Array {
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  return attempt(() => zlib.inflateSync(input, { finishFlush, maxOutputLength: bytesMax }));
}

/** The same of gzip. */
export function unpackGzip(input: Uint8Array, bytesMax: number): Uint8Array {
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  return attempt(() => zlib.gunzipSync(input, { finishFlush, maxOutputLength: bytesMax }));
}

/** At most `bytesMax` bytes of output; nothing if they are none, or more, or cut short. */
export function unpackZstd(input: Uint8Array, bytesMax: number): Uint8Array {
  // The types of node:zlib do not list it yet.
  const { zstdDecompressSync } = zlib as unknown as Partial<Unzstd>;
  return attempt(() => zstdDecompressSync?.(input, { maxOutputLength: bytesMax }) ?? NOTHING);
}

interface Unzstd {
  zstdDecompressSync(input: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

/** Bytes that are not what they should be are told as none: they come from a wire. */
function attempt(unpack: () => Uint8Array): Uint8Array {
  try {
    return unpack();
  } catch {
    return NOTHING;
  }
}

/** At most `bytesMax` bytes of output. */
export function unpackLz4(input: Uint8Array, bytesMax: number): Uint8Array {
  const output = new Uint8Array(bytesMax);
  let at = 0;
  let size = 0;
  const lengthFrom = (start: number): number => {
    let length = start;
    if (start < 15) return length;
    for (let more = 255; more === 255 && at < input.length;) {
      more = input[at++] as number;
      length += more;
    }
    return length;
  };
  while (at < input.length && size < bytesMax) {
    const token = input[at++] as number;
    const literals = Math.min(lengthFrom(token >> 4), input.length - at, bytesMax - size);
    output.set(input.subarray(at, at + literals), size);
    at += literals;
    size += literals;
    if (at + 2 > input.length) break;
    const offset = (input[at] as number) | (input[at + 1] as number) << 8;
    at += 2;
    const next = copy(output, size, offset, lengthFrom(token & 15) + 4);
    if (next < 0) break;
    size = next;
  }
  return output.subarray(0, size);
}

/** At most `bytesMax` bytes of output. */
export function unpackSnappy(input: Uint8Array, bytesMax: number): Uint8Array {
  const output = new Uint8Array(bytesMax);
  const byte = (i: number): number => input[i] ?? 0;
  let at = 0;
  let size = 0;
  while (byte(at) >= 0x80 && at < 5) at++;
  at++;
  while (at < input.length && size < bytesMax) {
    const tag = byte(at++);
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      const extra = length > 60 ? length - 60 : 0;
      if (extra > 0) {
        length = 1;
        for (let i = 0; i < extra; i++) length += byte(at + i) * 256 ** i;
      }
      at += extra;
      const literals = Math.min(length, input.length - at, bytesMax - size);
      if (literals <= 0) break;
      output.set(input.subarray(at, at + literals), size);
      at += literals;
      size += literals;
      continue;
    }
    const short = (tag & 3) === 1;
    const length = short ? (tag >> 2 & 7) + 4 : (tag >> 2) + 1;
    const offset = short ? (tag >> 5) << 8 | byte(at) : byte(at) | byte(at + 1) << 8;
    at += short ? 1 : (tag & 3) === 2 ? 2 : 4;
    const next = copy(output, size, offset, length);
    if (next < 0) break;
    size = next;
  }
  return output.subarray(0, size);
}

/** Repeats what lies `offset` bytes back, byte by byte, as runs overlap. -1: nothing lies there. */
function copy(output: Uint8Array, size: number, offset: number, length: number): number {
  if (offset === 0 || offset > size) return -1;
  const end = Math.min(size + length, output.length);
  for (let i = size; i < end; i++) output[i] = output[i - offset] as number;
  return end;
}
