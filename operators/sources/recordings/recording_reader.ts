// SPDX-License-Identifier: Apache-2.0
// Reads a recording block by block, also one that is still being written or was cut.

import type { FileWindow } from "../file_window.ts";
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  isIntact,
  paddedBytes,
  readBlockHeader,
} from "./recording_block.ts";
import {
  decodeHeader,
  HEADER_BYTES_MIN,
  headerBytes,
  type RecordingHeader,
} from "./recording_header.ts";

/** Reads the header and leaves the window at the first block; throws one clear sentence. */
export function readRecordingHeader(window: FileWindow, name: string): RecordingHeader {
  try {
    window.fillSync(HEADER_BYTES_MIN);
    const length = headerBytes(window.bytes.subarray(window.start, window.end));
    if (!window.fillSync(length)) throw new Error("it ends within its header");
    const header = decodeHeader(window.bytes.subarray(window.start, window.start + length));
    window.consume(length);
    return header;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot replay ${name}: ${reason}`, { cause: error });
  }
}

/** Where the next record lies in the window; valid until the next fill. */
export interface RecordPlace {
  at: number;
  size: number;
  view: DataView;
}

export interface RecordReader {
  /** Fills in `place`; false when more bytes are needed, or none are left. */
  next(place: RecordPlace): boolean;
  /** Call at the end of the input: counts a block that is not whole. */
  finish(): void;
}

/** `damaged` is told of each place where a block was cut or its checksum is wrong. */
export function recordReader(window: FileWindow, damaged: () => void): RecordReader {
  /** Bytes of the current block that are not read yet. */
  let left = 0;
  /** A damaged place was counted and the next whole block is looked for. */
  let searching = false;
  let view = new DataView(window.bytes.buffer);

  function look(): void {
    if (view.buffer !== window.bytes.buffer) view = new DataView(window.bytes.buffer);
  }

  function nextBlock(): boolean {
    while (window.has(BLOCK_HEADER_BYTES)) {
      look();
      const header = readBlockHeader(view, window.start);
      const whole = header !== null && window.has(BLOCK_HEADER_BYTES + header.bytes);
      if (header !== null && !whole && !window.ended) return false;
      if (header !== null && whole && isIntact(header, bodyOf(window, header))) {
        window.consume(BLOCK_HEADER_BYTES);
        left = header.bytes;
        searching = false;
        return true;
      }
      if (!searching) damaged();
      searching = true;
      window.consume(8); // blocks lie at multiples of 8
    }
    return false;
  }

  return {
    next(place) {
      while (left > 0 || nextBlock()) {
        look();
        const size = view.getUint32(window.start, true);
        const room = paddedBytes(size);
        if (size === 0 || room > left) {
          damaged();
          window.consume(left);
          left = 0;
          continue;
        }
        place.at = window.start;
        place.size = size;
        place.view = view;
        window.consume(room);
        left -= room;
        return true;
      }
      return false;
    },
    finish() {
      if (window.end > window.start && !searching) damaged();
      window.consume(window.end - window.start);
    },
  };
}

function bodyOf(window: FileWindow, header: BlockHeader): Uint8Array {
  const at = window.start + BLOCK_HEADER_BYTES;
  return window.bytes.subarray(at, at + header.bytes);
}
