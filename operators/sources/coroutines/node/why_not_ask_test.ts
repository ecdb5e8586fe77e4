// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { whyNotAsk } from "./why_not_ask.ts";

const memoryOf = (...code: number[]) => ({
  read: (at: number, bytes: number) =>
    at === 0x1000 ? new Uint8Array(bytes).fill(0).map((_, i) => code[i] ?? 0) : new Uint8Array(),
});

Deno.test("node: the signal goes where Node handles it, in programs and in libraries", () => {
  const program = memoryOf(0xbf, 1, 2, 3, 4, 0xe9, 5, 6, 7, 8);
  const library = memoryOf(0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8d, 0x3d, 1, 2, 3, 4, 0xe9, 5, 6, 7, 8);
  const framed = memoryOf(0x55, 0xbf, 1, 2, 3, 4, 0x48, 0x89, 0xe5, 0x5d, 0xe9, 5, 6, 7, 8);
  for (const memory of [program, library, framed]) assert.equal(whyNotAsk(0x1000, memory), "");
});

Deno.test("node: a program that uses the signal, or would end by it, is left alone", () => {
  const passesOn = memoryOf(0x55, 0x48, 0x89, 0xe5, 0x41, 0x56, 0x41, 0x55, 0xe8, 1, 2, 3, 4);
  assert.match(whyNotAsk(0x1000, passesOn), /uses SIGUSR1/);
  assert.match(whyNotAsk(0, passesOn), /does not open/);
  assert.match(whyNotAsk(1, passesOn), /does not open/);
  assert.match(whyNotAsk(0x2000, passesOn), /cannot be read/);
});
