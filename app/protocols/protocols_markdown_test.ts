// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { protocolsMarkdown } from "./protocols_markdown.ts";

Deno.test("docs/protocols.md says what the protocols declare (deno task protocols:docs)", () => {
  const written = Deno.readTextFileSync(new URL("../../docs/protocols.md", import.meta.url));
  assert.equal(written, protocolsMarkdown(PROTOCOLS));
});
