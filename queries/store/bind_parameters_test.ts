// SPDX-License-Identifier: Apache-2.0

import { equal, throws } from "node:assert/strict";
import { bindParameters, type Parameter } from "./bind_parameters.ts";

Deno.test("parameters become literals, outside of quotes and comments only", () => {
  const cases: [string, Parameter[], string][] = [
    ["a = ?", ["it's"], "a = 'it''s'"],
    ["a = $2 AND b = $1", [1, 2n ** 64n - 1n], "a = 18446744073709551615 AND b = 1"],
    ["5-?", [-5], "5-(-5)"],
    ["'?' \"?\" -- ?\n/* $1 */ $$ ? $$ ?", [true], "'?' \"?\" -- ?\n/* $1 */ $$ ? $$ true"],
    ["'it''s ?' ?", [null], "'it''s ?' NULL"],
    ["a = ANY(?)", [["x", "y'"]], "a = ANY(['x', 'y'''])"],
    ["?", [NaN], "'NaN'::DOUBLE"],
    ["?", ["\0;"], "';'"],
  ];
  for (const [sql, parameters, expected] of cases) {
    equal(bindParameters(sql, parameters), expected);
  }
  throws(() => bindParameters("? ?", [1]), /needs 2 parameters, 1 given/);
  throws(() => bindParameters("?", [1, 2]), /2 parameters given, the statement uses 1/);
});
