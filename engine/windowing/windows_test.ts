// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { tryOperator } from "../try_operator.ts";
import {
  count,
  type MergingFold,
  session,
  sessionOperator,
  tumbling,
  tumblingOperator,
} from "./windows.ts";

interface Tick {
  readonly key: string;
  readonly atNs: bigint;
}
const placed = { keyOf: (tick: Tick) => tick.key, timeOf: (tick: Tick) => tick.atNs };
const tick = (key: string, atNs: bigint): Tick => ({ key, atNs });

/** Results as text: key, window, times of the records in order. */
const list: MergingFold<string, Tick, bigint[], string> = {
  start: () => [],
  add: (times, { atNs }) => [...times, atNs],
  merge: (a, b) => [...a, ...b],
  result: (times, key, { startNs, endNs }) => {
    const sorted = times.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0);
    return `${key} ${startNs}..${endNs}: ${sorted.join(" ")}`;
  },
};

Deno.test("tumbling windows close at their end, earliest first", () => {
  const tried = tryOperator(tumblingOperator(tumbling(10n), count<string>(), placed), undefined);
  for (const atNs of [3n, 12n, 9n, 10n]) tried.push(tick("a", atNs));
  tried.push(tick("b", 0n));
  tried.advance(9n);
  assert.deepEqual(tried.emitted, []);
  assert.equal(tried.held(), 3);
  tried.advance(10n);
  assert.deepEqual(tried.emitted, [
    { key: "a", count: 2, startNs: 0n, endNs: 10n },
    { key: "b", count: 1, startNs: 0n, endNs: 10n },
  ]);
  tried.push(tick("a", 9n));
  assert.deepEqual(tried.drops, { late: 1 });
  tried.end();
  assert.deepEqual(tried.emitted[2], { key: "a", count: 2, startNs: 10n, endNs: 20n });
  assert.equal(tried.held(), 0);
});

Deno.test("a window waits for late records as long as it was told", () => {
  const tried = tryOperator(tumblingOperator(tumbling(10n, 5n), list, placed), undefined);
  tried.push(tick("a", 1n));
  tried.advance(14n);
  assert.equal(tried.watermark?.(14n), 9n);
  tried.push(tick("a", 2n));
  tried.advance(15n);
  assert.deepEqual(tried.emitted, ["a 0..10: 1 2"]);
});

Deno.test("times before zero fall into windows as well", () => {
  const tried = tryOperator(tumblingOperator(tumbling(10n), list, placed), undefined);
  for (const atNs of [-1n, -10n, -11n, 0n]) tried.push(tick("a", atNs));
  tried.end();
  assert.deepEqual(tried.emitted, ["a -20..-10: -11", "a -10..0: -10 -1", "a 0..10: 0"]);
});

Deno.test("windows are bounded and what does not fit is counted", () => {
  const rules = { ...placed, keysMax: 2 };
  for (
    const operator of [
      tumblingOperator(tumbling(10n), list, rules),
      sessionOperator(session(10n), list, rules),
    ]
  ) {
    const tried = tryOperator(operator, undefined);
    for (const key of ["a", "b", "c", "a", "c"]) tried.push(tick(key, 1n));
    assert.deepEqual(tried.drops, { windows_full: 2 });
    tried.end();
    assert.deepEqual(
      tried.emitted.toSorted(),
      ["a 0..10: 1 1", "b 0..10: 1"].map((text) =>
        operator.name === "window" ? text : text.replace("0..10", "1..11")
      ),
    );
  }
});

Deno.test("a session goes on while records come, and closes a gap after the last", () => {
  const tried = tryOperator(sessionOperator(session(10n), list, placed), undefined);
  for (const atNs of [0n, 9n, 18n]) tried.push(tick("a", atNs));
  tried.advance(27n);
  assert.deepEqual(tried.emitted, []);
  tried.advance(28n);
  assert.deepEqual(tried.emitted, ["a 0..28: 0 9 18"]);
  tried.push(tick("a", 18n));
  assert.deepEqual(tried.drops, { late: 1 });
});

Deno.test("a record between two sessions joins them", () => {
  const tried = tryOperator(sessionOperator(session(10n), list, placed), undefined);
  for (const atNs of [0n, 18n]) tried.push(tick("a", atNs));
  assert.equal(tried.held(), 2);
  tried.push(tick("a", 9n));
  assert.equal(tried.held(), 1);
  tried.end();
  assert.deepEqual(tried.emitted, ["a 0..28: 0 9 18"]);
});

Deno.test("results do not depend on the order of records nor on where watermarks stand", () => {
  const ticks = fc.array(
    fc.record({ key: fc.constantFrom("a", "b"), at: fc.integer({ min: 0, max: 60 }) }),
    { maxLength: 30, size: "max" },
  );
  fc.assert(fc.property(ticks, fc.array(fc.nat()), (given, keys) => {
    const records = given.map(({ key, at }) => tick(key, BigInt(at)));
    const shuffled = records.map((record, index) => ({ record, sort: keys[index] ?? 0 }))
      .sort((a, b) => a.sort - b.sort).map(({ record }) => record);
    const inTime = records.toSorted((a, b) => Number(a.atNs - b.atNs));
    for (
      const operator of [
        tumblingOperator(tumbling(7n), list, placed),
        sessionOperator(session(7n), list, placed),
      ]
    ) {
      const atOnce = tryOperator(operator, undefined);
      for (const record of shuffled) atOnce.push(record);
      atOnce.end();
      const stepwise = tryOperator(operator, undefined);
      for (const record of inTime) {
        stepwise.advance(record.atNs);
        stepwise.push(record);
      }
      stepwise.end();
      assert.deepEqual(stepwise.emitted.toSorted(), atOnce.emitted.toSorted());
      assert.deepEqual(stepwise.drops, {});
    }
  }));
});

Deno.test("a window without length is refused", () => {
  const operator = tumblingOperator(tumbling(0n), list, placed);
  assert.throws(() => tryOperator(operator, undefined), /its size is 0 ns/);
});
