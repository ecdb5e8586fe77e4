// SPDX-License-Identifier: Apache-2.0
// Every shape in two runtimes at least, and every program of use to a shape.

import assert from "node:assert/strict";
import { COVERAGE, coverageText, runtimesOf } from "./coverage.ts";
import { PROGRAMS } from "./programs.ts";

Deno.test("coverage: each shape has programs in two runtimes", () => {
  for (const [shape, names] of Object.entries(COVERAGE)) {
    assert.ok(runtimesOf(names).length >= 2, shape);
  }
});

Deno.test("coverage: the programs named are those there are", () => {
  const named = new Set(Object.values(COVERAGE).flat());
  assert.deepEqual([...named].sort(), PROGRAMS.map(({ name }) => name).sort());
});

Deno.test("coverage: the text tells of every shape and program", () => {
  const text = coverageText();
  for (const word of [...Object.keys(COVERAGE), ...PROGRAMS.map(({ what }) => what)]) {
    assert.ok(text.includes(word), word);
  }
});
