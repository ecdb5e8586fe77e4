// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { type KeyedOperator, keyedStage } from "./keyed.ts";
import { tryOperator } from "./try_operator.ts";

interface Word {
  readonly key: number;
  readonly atNs: bigint;
  readonly text: string;
}

/** Joins the words of a key, and emits them when no word has come for `quietNs`. */
const sentence: KeyedOperator<number, Word, string[], string, { quietNs: bigint }> = {
  name: "sentence",
  limits: [],
  open: ({ quietNs }, { emit, setTimer, forget }) => ({
    start: () => [],
    push(words, { atNs, text }, key) {
      words.push(text);
      if (text !== "mute") setTimer(key, atNs + quietNs);
      if (text === "cancel") setTimer(key, undefined);
      if (text === "forget") forget(key);
      if (text === "throw") throw new Error("a word I do not like");
    },
    timer(words, key) {
      emit(`${key}: ${words.join(" ")}`);
      forget(key);
    },
    end: (words, key, why) => emit(`${key} ${why}: ${words.join(" ")}`),
  }),
};

const byKey = (rules: { keysMax?: number; ttlNs?: bigint } = {}) =>
  tryOperator(
    keyedStage(sentence, (word) => word.key, { timeOf: (word) => word.atNs, ...rules }),
    { quietNs: 10n },
  );
const word = (key: number, atNs: bigint, text: string): Word => ({ key, atNs, text });

Deno.test("one state and one timer per key", () => {
  const tried = byKey();
  tried.push(word(1, 0n, "hello"));
  tried.push(word(2, 1n, "other"));
  tried.push(word(1, 5n, "world"));
  tried.advance(10n);
  assert.deepEqual(tried.emitted, []);
  assert.equal(tried.held(), 2);
  tried.advance(15n);
  assert.deepEqual(tried.emitted, ["2: other", "1: hello world"]);
  assert.equal(tried.held(), 0);
});

Deno.test("cancelled and forgotten keys fire no timer", () => {
  const tried = byKey();
  tried.push(word(1, 0n, "cancel"));
  tried.push(word(2, 0n, "forget"));
  tried.advance(100n);
  assert.deepEqual(tried.emitted, []);
  tried.end();
  assert.deepEqual(tried.emitted, ["1 ended: cancel"]);
});

Deno.test("too many keys evict the idlest one, counted", () => {
  const tried = byKey({ keysMax: 2 });
  for (const key of [1, 2, 1, 3]) tried.push(word(key, 0n, "a"));
  assert.deepEqual(tried.emitted, ["2 evicted: a"]);
  assert.deepEqual(tried.drops, { keys_full: 1 });
  tried.end();
  assert.deepEqual(tried.emitted.slice(1), ["1 ended: a a", "3 ended: a"]);
});

Deno.test("an evicted key takes its timer with it", () => {
  const tried = byKey({ keysMax: 1 });
  tried.push(word(1, 0n, "a"));
  tried.push(word(2, 0n, "b"));
  tried.push(word(1, 8n, "mute"));
  tried.advance(100n);
  assert.deepEqual(tried.emitted, ["1 evicted: a", "2 evicted: b"]);
  assert.equal(tried.held(), 1);
});

Deno.test("keys expire by event time", () => {
  const tried = byKey({ ttlNs: 5n });
  tried.push(word(1, 0n, "a"));
  tried.push(word(2, 3n, "b"));
  tried.advance(5n);
  assert.deepEqual(tried.emitted, ["1 expired: a"]);
  assert.equal(tried.held(), 1);
});

Deno.test("a throw leaves the key usable", () => {
  const tried = byKey();
  assert.throws(() => tried.push(word(1, 0n, "throw")), /do not like/);
  tried.push(word(1, 1n, "on"));
  tried.end();
  assert.deepEqual(tried.emitted, ["1 ended: throw on"]);
});
