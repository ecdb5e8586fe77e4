// SPDX-License-Identifier: Apache-2.0
// Blocks of a recording: some records with their length and checksum, so that a cut or damaged
// place costs the block it lies in and no other.
//
// Layout: u32 magic, u32 bytes of records, u32 CRC-32 of them begun with their number, u32 number
// of records; then the records, each starting with its u32 size and padded to a multiple of 8.
// All little endian.

import { crc32 } from "node:zlib";

export const BLOCK_HEADER_BYTES = 16;

/** Records gathered into one block, unless a flush ends it earlier. */
export const BLOCK_BYTES = 256 * 1024;

/** More is damage: a block holds at most BLOCK_BYTES and one record. */
export const BLOCK_BYTES_MAX = 1 << 20;

const MAGIC = 0x4b4c4253; // "SBLK"

/** Writes the header of the block whose records lie behind it in `block`. */
export function sealBlock(block: Uint8Array<ArrayBuffer>, records: number): void {
  const view = new DataView(block.buffer, block.byteOffset, BLOCK_HEADER_BYTES);
  const body = block.subarray(BLOCK_HEADER_BYTES);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, body.length, true);
  view.setUint32(8, crc32(body, records), true);
  view.setUint32(12, records, true);
}

export interface BlockHeader {
  readonly bytes: number;
  readonly crc: number;
  readonly records: number;
}

/** The header at `at`, null when there is none. */
export function readBlockHeader(view: DataView, at: number): BlockHeader | null {
  const bytes = view.getUint32(at + 4, true);
  const possible = view.getUint32(at, true) === MAGIC && bytes <= BLOCK_BYTES_MAX &&
    bytes % 8 === 0;
  if (!possible) return null;
  return { bytes, crc: view.getUint32(at + 8, true), records: view.getUint32(at + 12, true) };
}

export function isIntact(header: BlockHeader, body: Uint8Array): boolean {
  return crc32(body, header.records) === header.crc;
}

/** Bytes that a record of that size takes in a block. */
export const paddedBytes = (size: number): number => (size + 7) & ~7;
