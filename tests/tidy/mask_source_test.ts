// SPDX-License-Identifier: Apache-2.0
// What the masker leaves of strings, templates, comments and regular expressions.

import assert from "node:assert/strict";
import { maskSource } from "./mask_source.ts";

const cases: [name: string, source: string, masked: string][] = [
  ["line comment", "a; // any\nb;", "a;       \nb;"],
  ["block comment keeps its lines", "a /* x\ny */ b", "a     \n     b"],
  ["strings with escapes", `f("a\\"b", 'c');`, "f(      ,    );"],
  ["a comment mark in a string", `"//" + x`, `     + x`],
  ["template with code and a nested template", "`a${b(`c`)}d` + e", "    b(   )    + e"],
  ["object braces in template code", "`${{ a: 1 }.a}x`;", "   { a: 1 }.a   ;"],
  ["regular expression with a quote and class", `x = /["/]/.test(y)`, `x =       .test(y)`],
  ["regular expression after a comment", "[ // c\n/'/ ]", "[     \n    ]"],
  ["division after values", `a / b / "c"; (1) / 2`, `a / b /    ; (1) / 2`],
  ["regular expression after a keyword", "return /'/;", "return    ;"],
];

for (const [name, source, masked] of cases) {
  Deno.test(`mask: ${name}`, () => assert.equal(maskSource(source), masked));
}
