// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { KeyedState } from "./keyed_state.ts";

Deno.test("the idlest key makes room, and says so", () => {
  const left: unknown[] = [];
  const states = new KeyedState<number, string>({
    keysMax: 2,
    left: (key, state, why) => left.push([key, state, why]),
  });
  states.set(1, "a", 0n);
  states.set(2, "b", 0n);
  assert.equal(states.use(1, 0n), "a");
  assert.equal(states.set(3, "c", 0n), true);
  assert.deepEqual([...states], [[1, "a"], [3, "c"]]);
  assert.deepEqual(left, [[2, "b", "evicted"]]);
});

Deno.test("a full state may refuse instead", () => {
  const states = new KeyedState<bigint, number>({ keysMax: 1, whenFull: "refuse" });
  assert.equal(states.set(1n, 1, 0n), true);
  assert.equal(states.set(2n, 2, 0n), false);
  assert.equal(states.set(1n, 3, 0n), true);
  assert.deepEqual([...states], [[1n, 3]]);
});

Deno.test("keys expire by event time since their last use", () => {
  const left: unknown[] = [];
  const states = new KeyedState<number, string>({
    keysMax: 10,
    ttlNs: 100n,
    left: (key, _state, why) => left.push([key, why]),
  });
  states.set(1, "a", 0n);
  states.set(2, "b", 50n);
  states.use(1, 60n);
  states.advance(149n);
  assert.deepEqual(left, []);
  states.advance(150n);
  assert.deepEqual(left, [[2, "expired"]]);
  states.advance(160n);
  assert.equal(states.size, 0);
});

Deno.test("any calls leave it equal to a list in order of use", () => {
  const step = fc.record({
    call: fc.constantFrom("set", "use", "get", "delete", "advance"),
    key: fc.integer({ min: 0, max: 12 }),
    passNs: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
    const keysMax = 6;
    const states = new KeyedState<number, number>({ keysMax, ttlNs: 20n });
    let model: [key: number, state: number, usedNs: bigint][] = [];
    let nowNs = 0n;
    for (const [order, { call, key, passNs }] of steps.entries()) {
      nowNs += BigInt(passNs);
      const found = model.find(([other]) => other === key);
      const others = model.filter(([other]) => other !== key);
      if (call === "set") {
        states.set(key, order, nowNs);
        if (found === undefined && model.length === keysMax) others.shift();
        model = [...others, [key, order, nowNs]];
      } else if (call === "use") {
        assert.equal(states.use(key, nowNs), found?.[1]);
        if (found !== undefined) model = [...others, [key, found[1], nowNs]];
      } else if (call === "get") {
        assert.equal(states.get(key), found?.[1]);
      } else if (call === "delete") {
        assert.equal(states.delete(key), found?.[1]);
        model = others;
      } else {
        states.advance(nowNs);
        model = model.filter(([, , usedNs]) => usedNs > nowNs - 20n);
      }
      assert.deepEqual([...states], model.map(([key, state]) => [key, state]));
      assert.equal(states.size, model.length);
    }
  }));
});
