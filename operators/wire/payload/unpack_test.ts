// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { unpackLz4, unpackSnappy } from "./unpack.ts";

const bytes = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...part].map((letter) => letter.charCodeAt(0))
    ),
  );
const text = (output: Uint8Array): string => String.fromCharCode(...output);

Deno.test("LZ4: literals, a match, a match that overlaps itself", () => {
  const packed = bytes(0x32, "abc", 3, 0, 0x13, "-", 1, 0, 0x30, "xyz");
  assert.equal(text(unpackLz4(packed, 100)), "abcabcabc" + "-" + "-------" + "xyz");
});

Deno.test("LZ4: lengths of 15 and more go on", () => {
  const literals = "0123456789abcdefghij";
  const packed = bytes(0xff, 5, literals, 20, 0, 1);
  assert.equal(text(unpackLz4(packed, 100)), literals + literals);
});

Deno.test("Snappy: literals, copies with one and two bytes of offset", () => {
  const packed = bytes(16, 3 << 2, "abcd", 0x01, 4, 0x0e, 2, 0, 3 << 2, "wxyz");
  assert.equal(text(unpackSnappy(packed, 100)), "abcd" + "abcd" + "cdcd" + "wxyz");
});

Deno.test("output stays within its limit, and nonsense ends it", () => {
  assert.equal(text(unpackLz4(bytes(0x32, "abc", 3, 0, 0x30, "xyz"), 7)), "abcabca");
  assert.equal(text(unpackLz4(bytes(0x30, "abc", 9, 0), 100)), "abc");
  assert.equal(text(unpackSnappy(bytes(9, 2 << 2, "abc", 0x01, 9), 100)), "abc");
  assert.equal(unpackLz4(new Uint8Array(0), 100).length, 0);
});
