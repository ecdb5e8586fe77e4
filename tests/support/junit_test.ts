// SPDX-License-Identifier: Apache-2.0
// Merged JUnit reports keep every suite and add the counts up.

import assert from "node:assert/strict";
import { mergeJunit } from "./junit.ts";

const report = (name: string, tests: number, failures: number) =>
  `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="${tests}" failures="${failures}" errors="0" time="0.1">
    <testsuite name="${name}" tests="${tests}" disabled="0" errors="0" failures="${failures}">
        <testcase name="a" classname="${name}" time="0.001"></testcase>
    </testsuite>
</testsuites>`;

Deno.test("junit: suites of all lanes stand in one report, with summed counts", () => {
  const merged = mergeJunit([report("./a_test.ts", 3, 1), report("./b_test.ts", 4, 0)]);
  assert.match(merged, /<testsuites name="spandrel" tests="7" failures="1" errors="0">/);
  assert.equal(merged.match(/<testsuite /g)?.length, 2);
  assert.ok(merged.indexOf("./a_test.ts") < merged.indexOf("./b_test.ts"));
});

Deno.test("junit: no reports make a valid empty one", () => {
  assert.match(mergeJunit([]), /<testsuites name="spandrel" tests="0" [^>]*>\n<\/testsuites>\n$/);
});
