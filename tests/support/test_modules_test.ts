// SPDX-License-Identifier: Apache-2.0
// Every test file is in exactly one of its lane's modules; end-to-end tests are in none.

import assert from "node:assert/strict";
import { writeTestModules } from "./test_modules.ts";

Deno.test("test modules: every test file once, each in its lane", async () => {
  const root = await Deno.makeTempDir({ prefix: "spandrel-modules-" });
  try {
    for (const folder of ["model", "tests/e2e", "tests/tidy"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    const unit = ["model/a_test.ts", "model/b_test.ts", "tests/tidy/c_test.ts"];
    const others = ["model/a.ts", "model/e_integration_test.ts", "tests/e2e/d_test.ts"];
    for (const file of [...unit, ...others]) {
      await Deno.writeTextFile(`${root}/${file}`, "");
    }
    await using modules = await writeTestModules(root, 2);
    assert.equal(modules.paths.unit.length, 2);
    assert.deepEqual(importedBy(modules.paths.unit), unit.map((file) => `${root}/${file}`));
    assert.deepEqual(importedBy(modules.paths.integration), [
      `${root}/model/e_integration_test.ts`,
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

function importedBy(paths: readonly string[]): string[] {
  const texts = paths.map((path) => Deno.readTextFileSync(path));
  return (texts.join("").match(/(?<=import "file:\/\/).*(?=";)/g) ?? []).sort();
}
