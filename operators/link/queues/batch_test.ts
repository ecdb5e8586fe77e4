// SPDX-License-Identifier: Apache-2.0
// Calls of a thread that holds several messages are divided among them by what such messages lead
// to.

import assert from "node:assert/strict";
import type { Call, Work } from "../program.ts";
import { divided, startBatch, takeCall } from "./batch.ts";
import { learnHabit, startHabits } from "./habits.ts";

const [redis, leaf] = [1, 2];
const [onlyRedis, onlyLeaf, both] = [11, 12, 13];

const work = (kind: number, spanId: bigint) => ({ kind, exchange: { spanId } }) as Work;
const call = (kind: number) => ({ kind, exchange: { spanId: 99n } }) as Call;

function placesOf(kinds: readonly number[], calls: readonly number[], habits = learned()) {
  const works = kinds.map((kind, index) => work(kind, BigInt(index)));
  const batch = startBatch(works);
  for (const kind of calls) takeCall(call(kind), batch, habits);
  return divided(batch, habits).map(({ parent, confidence }) => ({
    place: Number(parent?.exchange.spanId),
    isSure: confidence >= 0.95,
  }));
}

function learned() {
  const habits = startHabits();
  for (let i = 0; i < 20; i++) {
    learnHabit(onlyRedis, [redis], habits);
    learnHabit(onlyLeaf, [leaf], habits);
    learnHabit(both, [redis, leaf], habits);
  }
  return habits;
}

const sure = (...places: number[]) => places.map((place) => ({ place, isSure: true }));

Deno.test("messages of known kinds are told apart, the calls of each in order", () => {
  assert.deepEqual(
    placesOf([onlyRedis, both, onlyLeaf], [redis, redis, leaf, leaf]),
    sure(0, 1, 1, 2),
  );
  assert.deepEqual(
    placesOf([both, onlyRedis, both], [redis, leaf, redis, redis, leaf]),
    sure(0, 0, 1, 2, 2),
  );
});

Deno.test("a message that led to nothing is passed over", () => {
  const habits = learned();
  for (let i = 0; i < 20; i++) learnHabit(14, [], habits);
  assert.deepEqual(placesOf([14, onlyLeaf, 14, both], [leaf, redis, leaf], habits), sure(1, 3, 3));
});

Deno.test("messages that lead now to this, now to that, leave it uncertain", () => {
  const habits = startHabits();
  for (let i = 0; i < 20; i++) {
    learnHabit(15, [redis], habits);
    learnHabit(15, [leaf], habits);
    learnHabit(15, [redis, leaf], habits);
  }
  const places = placesOf([15, 15], [redis, leaf], habits);
  assert.equal(places[0]?.place, 0);
  assert.equal(placesOf([15, 15, 15], [redis, leaf, redis, leaf], habits)[1]?.isSure, false);
});

Deno.test("before anything is known nothing is sure", () => {
  assert.ok(placesOf([15, 15], [redis, leaf], startHabits()).some(({ isSure }) => !isSure));
});
