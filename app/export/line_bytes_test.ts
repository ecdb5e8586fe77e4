// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { LineBytes } from "./line_bytes.ts";

const written = (write: (line: LineBytes) => void) => {
  const line = new LineBytes();
  write(line);
  return line.text();
};

Deno.test("texts are quoted as JSON does it", () => {
  const texts = [
    "",
    "plain",
    'a"b',
    "back\\slash",
    "line\n",
    "\u0000\u001f\u007f",
    "größe",
    "日本",
  ];
  for (const text of [...texts, "😀", "\ud800", "x".repeat(200_000), "é".repeat(200_000)]) {
    assert.equal(written((line) => line.quoted(text)), JSON.stringify(text));
  }
});

Deno.test("numbers, whole and not, are written as JSON does it", () => {
  const numbers = [0, 7, 10, 99, 100, 4_294_967_296, 2 ** 53 - 1, -1, -40, 0.9877, 1e300, 1e-7];
  for (const number of [...numbers, -0, NaN, Infinity]) {
    assert.equal(written((line) => line.number(number)), JSON.stringify(number));
  }
});

Deno.test("64 bits are exact, in decimal and in hex", () => {
  const values = [0n, 9n, 10n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 10n ** 18n, 10n ** 19n];
  for (const value of [...values, 1_793_404_800_000_000_007n, 2n ** 63n, 2n ** 64n - 1n]) {
    assert.equal(written((line) => line.long(value)), `${value}`);
    assert.equal(written((line) => line.hex(value)), value.toString(16).padStart(16, "0"));
  }
});

Deno.test("parts follow each other beyond the first buffer; a cleared one starts anew", () => {
  const line = new LineBytes();
  const part = new TextEncoder().encode("0123456789");
  for (let i = 0; i < 20_000; i++) line.append(part);
  line.raw("end");
  assert.equal(line.text(), "0123456789".repeat(20_000) + "end");
  assert.equal(line.length, 200_003);
  line.clear();
  line.append(new Uint8Array(300).fill(65));
  assert.equal(line.text(), "A".repeat(300));
});
