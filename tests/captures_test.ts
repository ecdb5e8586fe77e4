// SPDX-License-Identifier: Apache-2.0
// Captures of real traffic with what another decoder made of them: http/*.pcap with *.result
// beside, redis/ … in a folder that SPANDREL_CAPTURES names, or where the project keeps them beside
// its own folder. `deno task conformance` prints the same in full.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { conformanceOf } from "./conformance/conformance.ts";
import { FOLDERS } from "./conformance/expectations.ts";

const beside = new URL("../../shared/golden/deepflow", import.meta.url).pathname;
const root = Deno.env.get("SPANDREL_CAPTURES") ?? beside;
const missing = statSync(root, { throwIfNoEntry: false }) === undefined;
const reason = missing ? " (no captures here: set SPANDREL_CAPTURES to run)" : "";

for (const folder of Object.keys(FOLDERS)) {
  Deno.test({
    name: `captures: ${folder}${reason}`,
    ignore: missing,
    async fn() {
      const found = await conformanceOf(root, folder);
      const open = found?.differences.filter(({ verdict }) => verdict === null) ?? [];
      assert.deepEqual(open, []);
    },
  });
}
