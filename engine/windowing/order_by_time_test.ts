// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { tryOperator } from "../try_operator.ts";
import { orderByTime } from "./order_by_time.ts";

const open = (heldMax?: number) => {
  const timeOf = (record: [at: number, name: string]) => BigInt(record[0]);
  const rules = heldMax === undefined ? { timeOf } : { timeOf, heldMax };
  return tryOperator(orderByTime(rules), undefined);
};

Deno.test("records leave in order of time once the watermark has passed them", () => {
  const tried = open();
  tried.push([3, "c"]);
  tried.push([1, "a"]);
  tried.push([3, "d"]);
  tried.push([2, "b"]);
  tried.advance(3n);
  assert.deepEqual(tried.emitted.map(([, name]) => name), ["a", "b"]);
  tried.push([3, "e"]);
  tried.end();
  assert.equal(tried.emitted.map(([, name]) => name).join(""), "abcde");
  assert.equal(tried.held(), 0);
});

Deno.test("late records leave by the side", () => {
  const tried = open();
  tried.advance(5n);
  tried.push([4, "late"]);
  tried.push([5, "in time"]);
  assert.deepEqual(tried.sides, [[4, "late"]]);
  assert.equal(tried.held(), 1);
});

Deno.test("too many records release the older half; nothing is lost", () => {
  const tried = open(4);
  for (const at of [5, 4, 3, 2, 1]) tried.push([at, `${at}`]);
  assert.deepEqual(tried.emitted.map(([at]) => at), [1, 2, 3]);
  tried.push([1, "older than what was released"]);
  tried.end();
  assert.equal(tried.sides.length, 1);
  assert.deepEqual(tried.emitted.map(([at]) => at), [1, 2, 3, 4, 5]);
});
