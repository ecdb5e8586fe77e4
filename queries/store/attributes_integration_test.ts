// SPDX-License-Identifier: Apache-2.0

import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { packAttributes, unpackAttributes } from "./attributes.ts";

Deno.test("attributes: what is packed is unpacked", () => {
  const value = fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean());
  fc.assert(fc.property(fc.dictionary(fc.string(), value), (attributes) => {
    deepEqual(unpackAttributes(packAttributes(attributes)), { ...attributes });
  }));
});

Deno.test("attributes: a bare quote ends a value, and a name occurs only as a name", () => {
  const name = fc.constantFrom("http.method", "a", "b");
  const text = fc.string({ unit: fc.constantFrom('"', "\\", ":", ",", "a", "}", "\n", "é") });
  fc.assert(fc.property(name, text, text, (name, before, value) => {
    const packed = packAttributes({ before: `"${name}":${before}`, [name]: value });
    const inside = packed.split(`"${name}":"`)[1]?.split('"')[0] ?? "";
    equal(JSON.parse(`"${inside}"`), value);
  }));
});
