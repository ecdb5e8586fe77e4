// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { hashOfLong, hashOfNumber, hashOfText, HashTable } from "./hash_table.ts";

type Step = readonly ["set" | "delete" | "clear", number];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0][]>("set", "set", "set", "delete", "delete", "clear"),
    fc.integer({ min: 0, max: 60 }),
  ),
  { maxLength: 300 },
);

/** Hashes that spread, that collide, and that wrap round the end of the table. */
const hashes = [hashOfNumber, () => 7, (key: number) => -1 - (key & 3)];

Deno.test("it holds what a Map holds, whatever comes and goes", () => {
  for (const hashOf of hashes) {
    fc.assert(fc.property(steps, (steps: Step[]) => {
      const table = new HashTable<number, string>(hashOf);
      const map = new Map<number, string>();
      for (const [i, [kind, key]] of steps.entries()) {
        if (kind === "set") table.set(key, `${i}`), map.set(key, `${i}`);
        else if (kind === "delete") assert.equal(table.delete(key), map.delete(key));
        else if (i % 10 === 0) table.clear(), map.clear();
        assert.equal(table.get(key), map.get(key));
      }
      assert.equal(table.size, map.size);
      for (const [key, value] of map) assert.equal(table.get(key), value);
      assert.deepEqual([...table.values()].sort(), [...map.values()].sort());
    }));
  }
});

Deno.test("bigints and texts are keys by value", () => {
  const longs = new HashTable<bigint, number>(hashOfLong);
  longs.set(2n ** 63n + 1n, 1);
  assert.equal(longs.get(1n + 2n ** 63n), 1);
  assert.equal(longs.get(1n), undefined);
  const texts = new HashTable<string, number>(hashOfText);
  texts.set(["a", "b"].join(" "), 1);
  assert.equal(texts.get("a b"), 1);
});

Deno.test("hashes spread keys that differ in few bits", () => {
  const kinds: readonly ((i: number) => number)[] = [
    (i) => hashOfNumber(i * 64),
    (i) => hashOfLong(BigInt(i) << 48n),
    (i) => hashOfText(`40${i}>80 ${i} http`),
  ];
  for (const hashAt of kinds) {
    const places = new Set(Array.from({ length: 1024 }, (_, i) => hashAt(i) & 2047));
    assert.ok(places.size > 600, `${places.size} places for 1024 keys`);
  }
});
