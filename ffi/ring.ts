// SPDX-License-Identifier: Apache-2.0
// Reads a BPF ring buffer in JavaScript: mapped memory, no call and no copy per record.

import { mapMemory } from "./mapped_memory.ts";
import type { Libc } from "./libc.ts";

const PAGE_BYTES = 4096;
const HEADER_BYTES = 8;
const DISCARD = 0x4000_0000;
const LENGTH_MASK = 0x3fff_ffff;
/** The consumer position is published this often, so that writers find room during a long drain. */
const RECORDS_PER_PUBLISH = 64;

/**
 * Called for each record in order. The record stands at `offset` of `view`, and of `bytes`, which
 * are the same memory, and is `length` bytes long. All of it is borrowed: valid only during the
 * call.
 */
export type OnRecord = (view: DataView, offset: number, length: number, bytes: Uint8Array) => void;

export interface Ring extends Disposable {
  /** Hands out records that are complete, at most `max`; returns how many. */
  drain(onRecord: OnRecord, max?: number): number;
  /** True while records wait, complete or not. */
  pending(): boolean;
}

/** `bytes` is the ring's size: a power of two, as given to the kernel. */
export function openRing(libc: Libc, fd: number, bytes: number): Ring {
  const own = mapMemory(libc, fd, PAGE_BYTES, 0, "write");
  const theirs = mapMemory(libc, fd, PAGE_BYTES + bytes, PAGE_BYTES, "read");
  return {
    ...readRing(own.buffer, theirs.buffer, bytes),
    [Symbol.dispose]() {
      own[Symbol.dispose]();
      theirs[Symbol.dispose]();
    },
  };
}

/**
 * `own` starts with the consumer position; `theirs` with the producer position, and after a page
 * the data. The kernel offers the data twice in a row, so that no record is cut at the end; but
 * both would count as memory of this process, so the rare record that is cut is copied instead.
 */
export function readRing(
  own: ArrayBuffer,
  theirs: ArrayBuffer,
  bytes: number,
): Omit<Ring, typeof Symbol.dispose> {
  const consumer = new BigInt64Array(own, 0, 1);
  const producer = new BigInt64Array(theirs, 0, 1);
  const words = new Int32Array(theirs, PAGE_BYTES, bytes >> 2);
  const data = new Uint8Array(theirs, PAGE_BYTES, bytes);
  const view = new DataView(theirs, PAGE_BYTES, bytes);
  let position = Number(Atomics.load(consumer, 0));

  /** True: a record was handed out. False: one was skipped. Undefined: it is not complete yet. */
  function step(onRecord: OnRecord): boolean | undefined {
    const at = position % bytes;
    const header = Atomics.load(words, at >> 2);
    if (header < 0) return undefined;
    position += ((header & LENGTH_MASK) + HEADER_BYTES + 7) & ~7;
    if (header & DISCARD) return false;
    const from = (at + HEADER_BYTES) % bytes;
    const length = view.getUint32(from, true);
    if (from + length <= bytes) onRecord(view, from, length, data);
    else handOutJoined(onRecord, from, length);
    return true;
  }

  /** A record of which the second part stands at the ring's beginning. */
  function handOutJoined(onRecord: OnRecord, from: number, length: number): void {
    const joined = new Uint8Array(length);
    const first = data.subarray(from);
    joined.set(first);
    joined.set(data.subarray(0, length - first.length), first.length);
    onRecord(new DataView(joined.buffer), 0, length, joined);
  }

  return {
    drain(onRecord, max = Number.POSITIVE_INFINITY) {
      let count = 0;
      let end = Number(Atomics.load(producer, 0));
      try {
        while (count < max && position < end) {
          const taken = step(onRecord);
          if (taken === undefined) break;
          if (taken && ++count % RECORDS_PER_PUBLISH === 0) {
            Atomics.store(consumer, 0, BigInt(position));
          }
          if (position === end) end = Number(Atomics.load(producer, 0));
        }
      } finally {
        Atomics.store(consumer, 0, BigInt(position));
      }
      return count;
    },
    pending: () => Number(Atomics.load(producer, 0)) > position,
  };
}
