// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { byteSet } from "./byte_set.ts";
import { CLIPPED, Cursor, Malformed, TRUNCATED } from "./cursor.ts";
import { decodeLatin1, decodeUtf8 } from "./text.ts";

const bytes = Uint8Array.from([0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88]);

/** A cursor on `text`, of which `passed` bytes passed. */
function on(text: string, passed = text.length): Cursor {
  const buffer = new TextEncoder().encode(text);
  const cursor = new Cursor();
  cursor.reset(buffer, 0, buffer.length, passed);
  return cursor;
}

function needs(act: () => unknown): number {
  assert.throws(act, (error) => error === TRUNCATED);
  return TRUNCATED.needBytes;
}

Deno.test("numbers of every width and order", () => {
  const read = <T>(act: (cursor: Cursor) => T): T => {
    const cursor = new Cursor();
    cursor.reset(bytes, 1, bytes.length, bytes.length);
    return act(cursor);
  };
  assert.equal(read((c) => c.u8()), 0x82);
  assert.equal(read((c) => c.i8()), -0x7e);
  assert.equal(read((c) => c.u16()), 0x8203);
  assert.equal(read((c) => c.u16le()), 0x0382);
  assert.equal(read((c) => c.i16()), -0x7dfd);
  assert.equal(read((c) => c.u24()), 0x820384);
  assert.equal(read((c) => c.u24le()), 0x840382);
  assert.equal(read((c) => c.u32()), 0x82038405);
  assert.equal(read((c) => c.u32le()), 0x05840382);
  assert.equal(read((c) => c.i32()), 0x82038405 | 0);
  const all = new Cursor();
  all.reset(bytes, 0, 8, 8);
  assert.equal(all.u64(), 0x0182038405860788n);
  all.rewind(0);
  assert.equal(all.u64le(), 0x8807860584038201n);
  all.rewind(0);
  assert.equal(all.i64le(), 0x8807860584038201n - (1n << 64n));
});

Deno.test("64-bit reads follow the cursor to another buffer", () => {
  const cursor = new Cursor();
  cursor.reset(bytes, 0, 8, 8);
  cursor.u64();
  const other = new Uint8Array(24).subarray(8);
  other[7] = 9;
  cursor.reset(other, 0, 16, 16);
  assert.equal(cursor.u64(), 9n);
});

Deno.test("a read past what has passed says how many bytes it needs", () => {
  const cursor = on("abc");
  cursor.u8();
  assert.equal(needs(() => cursor.u32()), 5);
  assert.equal(needs(() => cursor.skip(10)), 11);
  assert.equal(cursor.position, 1, "a read that fails does not move");
  assert.equal(needs(() => cursor.line(100)), 4);
});

Deno.test("a read of what was not captured is clipped, a skip over it is not", () => {
  const cursor = on("abc", 10);
  assert.equal(cursor.captured, 3);
  assert.equal(cursor.remaining, 10);
  assert.throws(() => cursor.bytes(4), (error) => error === CLIPPED);
  cursor.skip(8);
  assert.equal(cursor.clipped, true);
  assert.throws(() => cursor.u8(), (error) => error === CLIPPED);
  assert.equal(needs(() => cursor.skip(3)), 11);
});

Deno.test("behind the last byte that passed, captured or not, a read waits", () => {
  const cursor = on("abc", 10);
  cursor.skip(10);
  assert.equal(needs(() => cursor.u8()), 11);
  assert.equal(needs(() => cursor.line(9)), 11);
});

Deno.test("textCaptured takes what there is of a text", () => {
  const cursor = on("hello", 12);
  cursor.u8();
  assert.equal(cursor.textCaptured(8), "ello");
  assert.equal(cursor.position, 9);
  assert.equal(on("hello").textCaptured(4, 2), "he");
});

Deno.test("within a frame, reads past its end are malformed", () => {
  const cursor = on("abcdef");
  cursor.enter(3);
  assert.equal(cursor.remaining, 3);
  cursor.u16();
  assert.throws(() => cursor.u16(), Malformed);
  cursor.leave();
  assert.equal(cursor.position, 3);
  assert.equal(cursor.text(3), "def");
  assert.equal(needs(() => on("abc").enter(5)), 5);
  const cut = on("ab", 10);
  cut.enter(4);
  assert.throws(() => cut.bytes(3), (error) => error === CLIPPED);
  assert.throws(() => cut.bytes(5), Malformed);
});

Deno.test("lines end with LF or CRLF and have a limit", () => {
  const cursor = on("one\r\ntwo\n\r\n");
  assert.deepEqual([cursor.line(9), cursor.line(9), cursor.line(9)], ["one", "two", ""]);
  assert.throws(() => on("abcdef\n").line(3), Malformed);
  assert.throws(() => on("abcdef").line(3), Malformed);
  assert.equal(on("a\0b").cstring(), "a");
});

Deno.test("find, peek and findCrlf do not move", () => {
  const cursor = on("a\rb\r\nc");
  assert.equal(cursor.find(0x62), 2);
  assert.equal(cursor.find(0x7a), -1);
  assert.equal(cursor.findCrlf(), 3);
  assert.equal(cursor.peek(2), 0x62);
  assert.equal(cursor.peekOr(6), -1);
  assert.equal(cursor.position, 0);
});

Deno.test("byte sets of characters, values and ranges", () => {
  const set = byteSet("az", 0x16, [0xf0, 0xff]);
  const members = [...set.keys()].filter((byte) => set[byte] === 1);
  assert.equal(members.length, 19);
  assert.equal(set[0x61], 1);
  assert.equal(set[0x62], 0);
});

Deno.test("texts: short and long, ASCII, UTF-8 and neither", () => {
  for (const text of ["", "GET", "é", "日本語", "x".repeat(100), "ü".repeat(50)]) {
    const buffer = new TextEncoder().encode(`[${text}]`);
    assert.equal(decodeUtf8(buffer, 1, buffer.length - 1), text);
    assert.equal(decodeUtf8(buffer, 1, buffer.length - 1), text, "the second time as well");
  }
  const odd = Uint8Array.from([0xe9]);
  assert.equal(decodeLatin1(odd, 0, 1), "é");
  assert.equal(decodeUtf8(odd, 0, 1), "\ufffd");
  const long = new Uint8Array(80).fill(0xe9);
  assert.equal(decodeLatin1(long, 0, 80), "é".repeat(80));
});
