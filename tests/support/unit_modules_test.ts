// SPDX-License-Identifier: Apache-2.0
// Every unit test file is in exactly one of the modules; end-to-end tests are in none.

import assert from "node:assert/strict";
import { writeUnitModules } from "./unit_modules.ts";

Deno.test("unit modules: every test file once, none of the other lanes", async () => {
  const root = await Deno.makeTempDir({ prefix: "spandrel-modules-" });
  try {
    for (const folder of ["model", "tests/e2e", "tests/tidy"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    const unit = ["model/a_test.ts", "model/b_test.ts", "tests/tidy/c_test.ts"];
    for (const file of [...unit, "model/a.ts", "tests/e2e/d_test.ts"]) {
      await Deno.writeTextFile(`${root}/${file}`, "");
    }
    await using modules = await writeUnitModules(root, 2);
    const texts = modules.paths.map((path) => Deno.readTextFileSync(path));
    assert.equal(texts.length, 2);
    const imported = texts.join("").match(/(?<=import "file:\/\/).*(?=";)/g) ?? [];
    assert.deepEqual(imported.sort(), unit.map((file) => `${root}/${file}`).sort());
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
