// SPDX-License-Identifier: Apache-2.0
// Header blocks → headers: the examples of RFC 7541, appendix C, and readers that come late.

import assert from "node:assert/strict";
import fc from "fast-check";
import { Malformed } from "../../../wire/cursor.ts";
import { HpackDecoder } from "./hpack.ts";

const fromHex = (hex: string) =>
  Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));

function decode(decoder: HpackDecoder, hex: string): string[] {
  const headers: string[] = [];
  decoder.decode(fromHex(hex), (name, value) => headers.push(`${name}: ${value}`));
  return headers;
}

Deno.test("requests with Huffman coding (C.4)", () => {
  const decoder = new HpackDecoder(false);
  assert.deepEqual(decode(decoder, "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"), [
    ":method: GET",
    ":scheme: http",
    ":path: /",
    ":authority: www.example.com",
  ]);
  assert.deepEqual(decode(decoder, "8286 84be 5886 a8eb 1064 9cbf").slice(3), [
    ":authority: www.example.com",
    "cache-control: no-cache",
  ]);
  const third = "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf";
  assert.deepEqual(decode(decoder, third).slice(2), [
    ":path: /index.html",
    ":authority: www.example.com",
    "custom-key: custom-value",
  ]);
});

Deno.test("responses with eviction (C.5)", () => {
  const decoder = new HpackDecoder(false);
  const resize = "3fe1 01"; // 256 bytes
  const first = "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 " +
    "2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d";
  assert.equal(decode(decoder, resize + first)[0], ":status: 302");
  assert.deepEqual(decode(decoder, "4803 3330 37c1 c0bf").slice(0, 2), [
    ":status: 307",
    "cache-control: private",
  ]);
});

Deno.test("an entry from before the capture is unknown, later ones are exact", () => {
  assert.throws(() => decode(new HpackDecoder(false), "be"), Malformed);
  const late = new HpackDecoder(true);
  assert.deepEqual(decode(late, "be"), ["null: null"]);
  assert.deepEqual(decode(late, "400161 0162 be bf"), ["a: b", "a: b", "null: null"]);
});

Deno.test("no bytes make it throw anything but Malformed", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, late) => {
    try {
      new HpackDecoder(late).decode(bytes, () => {});
    } catch (error) {
      assert.ok(error instanceof Malformed);
    }
  }));
});
