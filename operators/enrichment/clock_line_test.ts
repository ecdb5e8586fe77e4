// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { clockLine } from "./clock_line.ts";

const S = 1_000_000_000n, MS = 1_000_000n;
const UNIX = 1_700_000_000n * S;

Deno.test("clock line: one reading is enough, before and after it", () => {
  const line = clockLine();
  assert.equal(line.offsetNs(5n), 0n, "nothing is known yet");
  line.read(100n * S, UNIX);
  assert.equal(50n * S + line.offsetNs(50n * S), UNIX - 50n * S);
  assert.equal(200n * S + line.offsetNs(200n * S), UNIX + 100n * S);
});

Deno.test("clock line: noise of readings and slow drift below a millisecond change nothing", () => {
  const line = clockLine();
  for (let i = 0n; i < 100n; i++) line.read(i * S, UNIX + i * S + (i % 2n) * MS);
  assert.equal(line.pieces, 1);
  assert.equal(line.offsetNs(99n * S), UNIX);
});

Deno.test("clock line: a step of the time starts a piece, what was before keeps its time", () => {
  const line = clockLine();
  line.read(10n * S, UNIX);
  line.read(11n * S, UNIX + S);
  const before = line.offsetNs(11n * S);
  line.read(12n * S, UNIX + 2n * S + 3600n * S); // someone set the clock an hour ahead
  line.read(13n * S, UNIX + 3n * S + 3600n * S);
  assert.equal(line.pieces, 2);
  assert.equal(line.offsetNs(11n * S), before);
  assert.equal(line.offsetNs(12n * S), before + 3600n * S);
  line.read(14n * S, UNIX + 4n * S); // and back
  assert.equal(line.offsetNs(20n * S), before);
  assert.equal(line.offsetNs(13n * S), before + 3600n * S);
});

Deno.test("clock line: suspend moves both clocks and is no step", () => {
  const line = clockLine();
  line.read(10n * S, UNIX);
  line.read(10n * S + 8n * 3600n * S, UNIX + 8n * 3600n * S);
  assert.equal(line.pieces, 1);
});

Deno.test("clock line: pieces are bounded", () => {
  const line = clockLine();
  for (let i = 1n; i < 1000n; i++) line.read(i * S, UNIX + i * 100n * S);
  assert.equal(line.pieces, 64);
  assert.ok(line.offsetNs(1n) > 0n);
});
