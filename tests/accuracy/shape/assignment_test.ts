// SPDX-License-Identifier: Apache-2.0
// The assignment costs as little as the best of all assignments, tried one by one.

import assert from "node:assert/strict";
import fc from "fast-check";
import { assign, type Option } from "./assignment.ts";

const skipCost = 10;

function cheapest(rows: readonly (readonly Option[])[], from = 0, taken = 0): number {
  const options = rows[from];
  if (options === undefined) return 0;
  let best = skipCost + cheapest(rows, from + 1, taken);
  for (const { column, cost } of options) {
    if ((taken & 1 << column) !== 0) continue;
    best = Math.min(best, cost + cheapest(rows, from + 1, taken | 1 << column));
  }
  return best;
}

Deno.test("assign: no other assignment costs less", () => {
  const option = fc.record({ column: fc.nat(5), cost: fc.nat(15) });
  const row = fc.uniqueArray(option, { selector: ({ column }) => column, maxLength: 6 });
  fc.assert(fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
    const columns = assign(rows, 6, skipCost);
    const used = [...columns].filter((column) => column >= 0);
    assert.equal(new Set(used).size, used.length, "a column twice");
    const cost = rows.reduce((sum, options, i) => {
      const taken = options.find(({ column }) => column === columns[i]);
      assert.ok(columns[i] === -1 || taken !== undefined, "a column that is no option");
      return sum + (taken?.cost ?? skipCost);
    }, 0);
    assert.equal(cost, cheapest(rows));
  }));
});
