// SPDX-License-Identifier: Apache-2.0
// Captures of real traffic with what another decoder made of them, where SPANDREL_CAPTURES names a
// folder that holds them: http/*.pcap with *.result beside, redis/ … `deno task conformance` prints
// the same in full.

import assert from "node:assert/strict";
import { conformanceOf } from "./conformance/conformance.ts";
import { FOLDERS } from "./conformance/expectations.ts";

const root = Deno.env.get("SPANDREL_CAPTURES") ?? "";

for (const folder of Object.keys(FOLDERS)) {
  Deno.test({
    name: `captures: ${folder} (set SPANDREL_CAPTURES to run)`,
    ignore: root === "",
    async fn() {
      const found = await conformanceOf(root, folder);
      const open = found?.differences.filter(({ verdict }) => verdict === null) ?? [];
      assert.deepEqual(open, []);
    },
  });
}
