// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readRing } from "./ring.ts";

const PAGE_BYTES = 4096;
const RING_BYTES = 4096;
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;

/** A ring as the kernel shares it, in ordinary memory; `put` writes a record and returns where. */
function fakeRing(start = 0) {
  const own = new ArrayBuffer(PAGE_BYTES);
  const theirs = new ArrayBuffer(PAGE_BYTES + RING_BYTES);
  const view = new DataView(theirs);
  let producer = start;
  new DataView(own).setBigInt64(0, BigInt(start), true);
  view.setBigInt64(0, BigInt(start), true);
  const write = (position: number, value: number) =>
    view.setUint32(PAGE_BYTES + position % RING_BYTES, value >>> 0, true);
  return {
    ring: readRing(own, theirs, RING_BYTES),
    consumed: () => Number(new DataView(own).getBigInt64(0, true)),
    /** The record is `bytes` long and its slot `slot`; its word after the size is `tag`. */
    put(tag: number, bytes: number, flags = 0, slot = bytes) {
      const at = producer;
      write(at, slot | flags);
      write(at + 8, bytes);
      write(at + 12, tag);
      producer += (slot + 8 + 7) & ~7;
      view.setBigInt64(0, BigInt(producer), true);
      return at;
    },
    submit: (at: number, slot: number) => write(at, slot),
  };
}

function tags(fake: ReturnType<typeof fakeRing>, max?: number): number[] {
  const seen: number[] = [];
  fake.ring.drain((view, offset) => seen.push(view.getUint32(offset + 4, true)), max);
  return seen;
}

Deno.test("ring: records come in order, each once", () => {
  const fake = fakeRing();
  fake.put(1, 16);
  fake.put(2, 21);
  assert.deepEqual(tags(fake), [1, 2]);
  assert.deepEqual(tags(fake), []);
  assert.equal(fake.consumed(), 24 + 32);
  assert.equal(fake.ring.pending(), false);
});

Deno.test("ring: a record that is not complete holds up those behind it", () => {
  const fake = fakeRing();
  fake.put(1, 16);
  const busy = fake.put(2, 16, BUSY);
  fake.put(3, 16);
  assert.deepEqual(tags(fake), [1]);
  assert.equal(fake.ring.pending(), true);
  fake.submit(busy, 16);
  assert.deepEqual(tags(fake), [2, 3]);
});

Deno.test("ring: discarded records are passed over, long slots give its own length", () => {
  const fake = fakeRing();
  fake.put(1, 16, DISCARD);
  fake.put(2, 40, 0, 456);
  const lengths: number[] = [];
  assert.equal(fake.ring.drain((_view, _offset, length) => lengths.push(length)), 1);
  assert.deepEqual(lengths, [40]);
  assert.equal(fake.consumed(), 24 + 464);
});

Deno.test("ring: positions beyond 32 bits and the wrap at the end", () => {
  const fake = fakeRing(2 ** 33 + RING_BYTES - 24);
  fake.put(1, 16);
  fake.put(2, 16);
  assert.deepEqual(tags(fake), [1, 2]);
  assert.equal(fake.consumed(), 2 ** 33 + RING_BYTES + 24);
});

Deno.test("ring: a record that the end cuts is handed out whole", () => {
  for (const beforeEnd of [8, 16, 24]) {
    const fake = fakeRing(RING_BYTES - beforeEnd);
    fake.put(7, 24);
    fake.put(8, 24);
    const seen: number[][] = [];
    fake.ring.drain((view, offset, length, bytes) => {
      const same = new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset + 4, true);
      seen.push([view.getUint32(offset + 4, true), same, length]);
    });
    assert.deepEqual(seen, [[7, 7, 24], [8, 8, 24]], `${beforeEnd} bytes before the end`);
  }
});

Deno.test("ring: a limit, and a reader that throws, leave the rest for later", () => {
  const fake = fakeRing();
  for (const tag of [1, 2, 3]) fake.put(tag, 16);
  assert.deepEqual(tags(fake, 1), [1]);
  assert.throws(() =>
    fake.ring.drain(() => {
      throw new Error("reader");
    }), /reader/);
  assert.deepEqual(tags(fake), [3], "the record that failed is not seen twice");
});
