// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { Timers } from "./timers.ts";

type Call =
  | { readonly do: "set"; readonly key: number; readonly at: number }
  | { readonly do: "cancel"; readonly key: number }
  | { readonly do: "fire"; readonly at: number };

const key = fc.integer({ min: 0, max: 40 });
const at = fc.integer({ min: -20, max: 200 });
const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ do: fc.constant("set" as const), key, at }), weight: 6 },
    { arbitrary: fc.record({ do: fc.constant("cancel" as const), key }), weight: 1 },
    { arbitrary: fc.record({ do: fc.constant("fire" as const), at }), weight: 2 },
  ),
  { maxLength: 400, size: "max" },
);

/** The same as a list searched from end to end. */
function modelFire(model: Map<number, [at: bigint, order: number]>, watermark: bigint): string[] {
  const due = [...model].filter(([, [at]]) => at <= watermark);
  due.sort(([, [a, i]], [, [b, j]]) => a < b ? -1 : a > b ? 1 : i - j);
  for (const [key] of due) model.delete(key);
  return due.map(([key, [at]]) => `${key}@${at}`);
}

for (const epochNs of [0n, 1_790_000_000_000_000_000n]) {
  Deno.test(`timers agree with a plain list, epoch ${epochNs}`, () => {
    fc.assert(fc.property(calls, (list) => {
      const timers = new Timers<number>();
      const model = new Map<number, [bigint, number]>();
      for (const [order, call] of list.entries()) {
        if (call.do === "set") {
          timers.set(call.key, epochNs + BigInt(call.at));
          model.set(call.key, [epochNs + BigInt(call.at), order]);
        } else if (call.do === "cancel") {
          assert.equal(timers.cancel(call.key), model.delete(call.key));
        } else {
          const fired: string[] = [];
          timers.fire(epochNs + BigInt(call.at), (key, at) => fired.push(`${key}@${at}`));
          assert.deepEqual(fired, modelFire(model, epochNs + BigInt(call.at)));
        }
        assert.equal(timers.size, model.size);
        assert.equal(timers.at(7), model.get(7)?.[0]);
      }
    }));
  });
}

Deno.test("a timer set while others fire takes its turn in the same call", () => {
  const timers = new Timers<string>();
  const fired: string[] = [];
  timers.set("first", 10n);
  timers.set("last", 30n);
  timers.fire(50n, (key) => {
    fired.push(key);
    if (key === "first") timers.set("second", 20n);
    if (key === "second") timers.set("later", 60n);
  });
  assert.deepEqual(fired, ["first", "second", "last"]);
  assert.equal(timers.at("later"), 60n);
});

Deno.test("an idle timeout moved a million times stays one entry", () => {
  const timers = new Timers<number>();
  for (let n = 0; n < 100_000; n++) timers.set(1, BigInt(100_000 - n)); // sooner each time
  assert.equal(timers.size, 1);
  let fired = 0;
  timers.fire(1n, () => fired++);
  assert.equal(fired, 1);
});
