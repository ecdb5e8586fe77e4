// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { tryJoin } from "../try_operator.ts";
import { joinWithin } from "./join_within.ts";

interface Event {
  readonly id: number;
  readonly key: number;
  readonly atNs: bigint;
}

const rules = {
  leftKey: (event: Event) => event.key,
  rightKey: (event: Event) => event.key,
  leftTime: (event: Event) => event.atNs,
  rightTime: (event: Event) => event.atNs,
  withinNs: 10n,
  combine: (left: Event, right: Event) => `${left.id}-${right.id}`,
};

Deno.test("records of one key meet when they are near enough, whichever comes first", () => {
  const tried = tryJoin(joinWithin(rules), undefined);
  tried.left({ id: 1, key: 7, atNs: 0n });
  tried.right({ id: 2, key: 7, atNs: 10n });
  tried.right({ id: 3, key: 7, atNs: 11n });
  tried.right({ id: 4, key: 8, atNs: 0n });
  tried.left({ id: 5, key: 7, atNs: 20n });
  assert.deepEqual(tried.emitted, ["1-2", "5-2", "5-3"]);
  tried.advance(10n);
  assert.equal(tried.held(), 5);
  tried.advance(11n);
  assert.equal(tried.held(), 3);
  assert.deepEqual(tried.sides, [{ kind: "right", record: { id: 4, key: 8, atNs: 0n } }]);
  assert.equal(tried.watermark?.(11n), 1n);
});

Deno.test("what does not fit is matched with what is held, then dropped and counted", () => {
  const tried = tryJoin(joinWithin({ ...rules, heldMax: 1 }), undefined);
  tried.left({ id: 1, key: 7, atNs: 0n });
  tried.right({ id: 2, key: 7, atNs: 0n });
  tried.left({ id: 3, key: 7, atNs: 0n });
  assert.deepEqual(tried.emitted, ["1-2"]);
  assert.deepEqual(tried.drops, { join_full: 2 });
});

const event = fc.record({
  key: fc.integer({ min: 0, max: 2 }),
  at: fc.integer({ min: 0, max: 40 }),
  isLeft: fc.boolean(),
  sort: fc.nat(),
});

Deno.test("any interleaving of the inputs gives the same pairs and the same rest", () => {
  fc.assert(fc.property(fc.array(event, { maxLength: 30, size: "max" }), (given) => {
    const events = given.map((each, id) => ({ ...each, id, atNs: BigInt(each.at) }));
    const results = [
      events.toSorted((a, b) => a.at - b.at),
      events.toSorted((a, b) => a.sort - b.sort),
      events.toSorted((a, b) => Number(a.isLeft) - Number(b.isLeft)),
    ].map((order, index) => {
      const tried = tryJoin(joinWithin(rules), undefined);
      for (const { isLeft, id, key, atNs } of order) {
        if (index === 0) tried.advance(atNs); // in order of time, watermarks may follow
        tried[isLeft ? "left" : "right"]({ id, key, atNs });
      }
      tried.end();
      assert.equal(tried.held(), 0);
      return [tried.emitted.toSorted(), tried.sides.map(({ record }) => record.id).toSorted()];
    });
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
    const pairs = events.flatMap((l) =>
      events.filter((r) => l.isLeft && !r.isLeft && l.key === r.key && Math.abs(l.at - r.at) <= 10)
        .map((r) => `${l.id}-${r.id}`)
    );
    assert.deepEqual(results[0]?.[0], pairs.toSorted());
  }));
});
