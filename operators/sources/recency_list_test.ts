// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fc from "fast-check";
import { recencyList, type Recent } from "./recency_list.ts";

interface Entry extends Recent<Entry> {
  readonly name: number;
}

Deno.test("recency list: behaves as an array in which what is used moves to the end", () => {
  const step = fc.tuple(fc.constantFrom("append", "remove", "touch"), fc.nat(7));
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const list = recencyList<Entry>();
    const entries = Array.from({ length: 8 }, (_, name): Entry => ({
      name,
      older: null,
      newer: null,
    }));
    let model: Entry[] = [];
    for (const [what, index] of steps) {
      const entry = entries[index];
      assert.ok(entry !== undefined);
      const held = model.includes(entry);
      if (what === "append" ? held : !held) continue;
      if (what === "append") list.append(entry);
      else if (what === "remove") list.remove(entry);
      else list.touch(entry);
      model = model.filter((other) => other !== entry);
      if (what !== "remove") model.push(entry);
      const order: number[] = [];
      for (let at = list.oldest(); at !== null; at = at.newer) order.push(at.name);
      assert.deepEqual(order, model.map(({ name }) => name));
    }
  }));
});
