// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { kindOf, startConsequences } from "./consequences.ts";

Deno.test("kinds: endpoints that come once only are one kind after a while", () => {
  const consequences = startConsequences();
  const names = Array.from({ length: 40 }, (_, n) => kindOf("dns", `${n}.shop`, consequences));
  assert.ok(new Set(names).size < 20);
  assert.equal(kindOf("dns", "new.shop", consequences), names.at(-1));
  assert.equal(kindOf("dns", "0.shop", consequences), names[0]);
  assert.notEqual(kindOf("redis", "GET", consequences), names.at(-1));
});

Deno.test("kinds: endpoints that come again are told apart, however many there are", () => {
  const consequences = startConsequences();
  const kinds = new Set<number>();
  for (let n = 0; n < 300; n++) kinds.add(kindOf("http", `/${Math.floor(n / 5)}`, consequences));
  assert.equal(kinds.size, 60);
});
