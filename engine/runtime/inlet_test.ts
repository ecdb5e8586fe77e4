// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { fanOut, inputGates, nowhere } from "./inlet.ts";

Deno.test("a node's watermark is the least of its open inputs, and only rises", () => {
  const inputs = 3;
  const step = fc.record({
    input: fc.nat({ max: inputs - 1 }),
    mark: fc.integer({ min: -5, max: 50 }),
    end: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
    const told: bigint[] = [];
    let ends = 0;
    const gates = inputGates(inputs, (watermarkNs) => told.push(watermarkNs), () => ends++);
    const best: (number | "ended" | undefined)[] = [undefined, undefined, undefined];
    let expected: bigint | undefined;
    for (const { input, mark, end } of steps) {
      const now = best[input];
      if (now === "ended") continue; // an input says nothing after its end
      if (end) {
        gates[input]?.end();
        best[input] = "ended";
      } else {
        gates[input]?.advance(BigInt(mark));
        best[input] = Math.max(mark, now ?? mark);
      }
      const open = best.filter((each) => each !== "ended");
      if (open.length > 0 && !open.includes(undefined)) {
        const least = BigInt(Math.min(...open.map(Number)));
        if (expected === undefined || least > expected) expected = least;
      }
      assert.equal(told.at(-1), expected);
      assert.equal(ends, open.length === 0 ? 1 : 0);
    }
    assert.deepEqual(told, [...new Set(told)].sort((a, b) => Number(a - b)));
  }));
});

Deno.test("readers of an output are served in order, and an output without readers counts", () => {
  const seen: string[] = [];
  const reader = (name: string) => ({
    edge: { count: 0 },
    push: (record: unknown) => void seen.push(`${name}${record}`),
    advance: (ns: bigint) => void seen.push(`${name}@${ns}`),
    end: () => void seen.push(`${name} ends`),
  });
  const out = fanOut(["a", "b", "c", "d"].map(reader));
  out.push(1);
  out.advance(5n);
  out.end();
  const expected = ["1", "@5", " ends"].flatMap((what) =>
    ["a", "b", "c", "d"].map((name) => `${name}${what}`)
  );
  assert.deepEqual(seen, expected);
  const lost = nowhere();
  lost.push(1);
  lost.push(2);
  assert.equal(lost.edge.count, 2);
});
