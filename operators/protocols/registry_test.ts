// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { generateRefinements, generateRegistry } from "./generate.ts";
import { PROTOCOLS } from "./registry.gen.ts";

Deno.test("registry.gen.ts lists the protocol files that are there", async () => {
  const folder = new URL("./", import.meta.url);
  const listed = await Deno.readTextFile(new URL("registry.gen.ts", folder));
  assert.equal(listed, await generateRegistry(folder), "run operators/protocols/generate.ts");
});

Deno.test("refinements.gen.ts lists the refinements that are there", async () => {
  const folder = new URL("./web/", import.meta.url);
  const listed = await Deno.readTextFile(new URL("refinements.gen.ts", folder));
  const found = await generateRefinements(new URL("refined/", folder));
  assert.equal(listed, found, "run operators/protocols/generate.ts");
});

Deno.test("every protocol has a name of its own and states its specification", () => {
  assert.equal(new Set(PROTOCOLS.map((protocol) => protocol.name)).size, PROTOCOLS.length);
  for (const protocol of PROTOCOLS) {
    assert.match(protocol.name, /^[a-z][a-z0-9_]*$/);
    assert.match(protocol.spec, /^https:\/\//);
    assert.ok(protocol.timeoutNs > 0n, protocol.name);
    assert.ok(protocol.transports.length > 0, protocol.name);
  }
});
