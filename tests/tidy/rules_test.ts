// SPDX-License-Identifier: Apache-2.0
// Every tidy rule can fail: each is shown a file that breaks it, and one that does not.

import assert from "node:assert/strict";
import { brokenLinks, headingAnchors } from "./documents.ts";
import { longFunctions } from "./functions.ts";
import { importCycles, importsOf, layerViolations } from "./imports.ts";
import {
  crowdedFolders,
  forbiddenWords,
  machinePaths,
  nativeAccess,
  oddName,
  opening,
  sizes,
  unguardedTest,
  vagueName,
} from "./lines.ts";
import { sourceFile, type Violation } from "./source_tree.ts";

const file = sourceFile;
const spdx = "// SPDX-License-Identifier: Apache-2.0\n";
const broken = (found: Violation[], pattern: RegExp) => {
  assert.equal(found.length, 1, `one finding, not:\n${found.join("\n")}`);
  assert.match(found[0] ?? "", pattern);
};
const clean = (found: Violation[]) => assert.deepEqual(found, []);

Deno.test("tidy rules: layers", () => {
  const importing = (path: string, target: string) =>
    layerViolations(file(path, `\nimport { a } from "${target}";\n`));
  broken(importing("engine/flow.ts", "../model/span.ts"), /^engine\/flow.ts:2: .*nothing of ours/);
  broken(importing("operators/link.ts", "../ffi/libc.ts"), /may import only engine/);
  broken(importing("operators/protocols/web/http1.ts", "../../infer.ts"), /only operators\/wire/);
  broken(importing("queries/assembly/x.ts", "../../operators/link.ts"), /only model/);
  broken(importing("app/cli/main.ts", "../../tests/support/e2e.ts"), /test file/);
  broken(importing("app/cli/main.ts", "@duckdb/duckdb-wasm"), /only queries\/store/);
  broken(importing("model/span.ts", "npm:left-pad"), /deno.json/);
  broken(importing("model/span.ts", "../../elsewhere.ts"), /outside the repository/);
  clean(importing("operators/sources/rings.ts", "../../ffi/libbpf.ts"));
  clean(importing("operators/sinks/store.ts", "../../queries/store/insert.ts"));
  clean(importing("operators/link_test.ts", "../tests/support/e2e.ts"));
  clean(importing("app/cli/main.ts", "../../ffi/libbpf.ts"));
});

Deno.test("tidy rules: imports of every form are seen, and only imports", () => {
  const text = [
    `import type { A } from "./a.ts";`,
    `import {\n  b,\n} from "./b.ts";`,
    `export * from "./c.ts";`,
    `const d = await import("./d.ts");`,
    `import "./e.ts";`,
    `new Worker(new URL("./f.ts", import.meta.url));`,
    `// import { g } from "./g.ts";`,
    "const text = `import h from './h.ts'`;",
  ].join("\n");
  const targets = importsOf(file("x/y.ts", text)).map((entry) => entry.target);
  assert.deepEqual(targets.sort(), ["a", "b", "c", "d", "e", "f"].map((name) => `x/${name}.ts`));
});

Deno.test("tidy rules: circles", () => {
  const a = file("a.ts", `import "./b.ts";`);
  const c = file("c.ts", `export * from "./a.ts";`);
  broken(importCycles([a, file("b.ts", `import "./c.ts";`), c]), /a.ts -> b.ts -> c.ts -> a.ts/);
  clean(importCycles([a, file("b.ts", ""), c]));
  clean(importCycles([a, file("b.ts", `import type { C } from "./c.ts";`), c]));
});

Deno.test("tidy rules: names", () => {
  broken(vagueName("engine/utils.ts"), /"utils" names no idea/);
  broken(vagueName("app/common/x.ts"), /"common"/);
  broken(vagueName("app/string_helpers.ts"), /"helpers"/);
  broken(oddName("app/spanTable.ts"), /"spanTable.ts" is not snake_case/);
  clean([...vagueName("engine/flow.ts"), ...oddName("bpf/capture.bpf.c")]);
});

Deno.test("tidy rules: sizes", () => {
  broken(sizes(file("a.ts", "x\n".repeat(401))), /a.ts:1: 401 lines/);
  broken(sizes(file("a.ts", `ok\n${"x".repeat(101)}\n`)), /a.ts:2: 101 columns/);
  clean(sizes(file("a.ts", `${"x".repeat(100)}\n`.repeat(400))));
  clean(sizes(file("a.ts", `  /${"x".repeat(101)}/u;`)));
  clean(sizes(file("a.ts", `// https://example.org/${"x".repeat(101)}`)));
});

Deno.test("tidy rules: functions", () => {
  const body = "  x();\n".repeat(70);
  const heads = [
    "export async function f(a: number): Promise<void> {",
    "const f = (a: number): string => {",
    "class A {\n  async *walk<T>(a: T): AsyncGenerator<T> {",
    "Deno.test('x', () => {",
  ];
  for (const head of heads) {
    broken(longFunctions(file("a.ts", `${head}\n${body}}\n`)), /function of 72 lines, at most 70/);
    clean(longFunctions(file("a.ts", `${head}\n${body.slice(14)}}\n`)));
  }
  broken(longFunctions(file("a.bpf.c", `int f(void *ctx)\n{\n${body}}\n`)), /function of 72 lines/);
  const inner = (head: string) => `${head}\n${body.slice(0, 40 * 7)}};\n`;
  const around = (head: string) => `function f() {\n${inner(head).repeat(3)}}\n`;
  clean(longFunctions(file("a.ts", around("const g = (a: X): Y => {"))));
  clean(longFunctions(file("a.ts", around("return {\n push(a) {"))));
  broken(longFunctions(file("a.ts", around("g((a) => {"))), /function of 128 lines/);
  clean(longFunctions(file("a.ts", `class A {\n${body}}\ninterface B {\n${body}}\n`)));
  clean(longFunctions(file("a.ts", `if (f(x)) {\n${body}}\nconst a = {\n${body}};\n`)));
});

Deno.test("tidy rules: first lines", () => {
  const bpf = "// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause\n";
  broken(opening(file("a.ts", "// What it is.\n// More.\n")), /a.ts:1: no licence/);
  broken(opening(file("a.ts", `${spdx}\nimport "x";\n`)), /a.ts:2: says not what/);
  broken(opening(file("bpf/a.bpf.c", `${spdx}// What.\n`)), /no licence/);
  clean(opening(file("bpf/a.bpf.c", `${bpf}/* What. */\n`)));
  clean(opening(file("spandrel", `#!/bin/sh\n${spdx.replace("//", "#")}# What.\n`)));
  clean(opening(file("a_test.ts", `${spdx}\nimport "x";\n`)));
  clean(opening(file("a.ts", `${spdx}/** What. */\nexport const a = 1;\n`)));
});

Deno.test("tidy rules: words", () => {
  const word = (text: string) => forbiddenWords(file("a.ts", text));
  broken(word(`let a: ${"any"};`), /"any"/);
  broken(word(`f(b as ${"any"});`), /"any"/);
  broken(word("let a: Map<string, any>;"), /"any"/);
  broken(word("const c = b!.d;"), /instead of `!`/);
  broken(word("const c = f(b[0]!);"), /instead of `!`/);
  broken(word(`// ${"@ts-"}ignore\n`), /mend the type/);
  broken(word("Deno.test({ name, ignore: true, fn });"), /run it/);
  broken(word("enum Kind { A }"), /union of literals/);
  broken(word(`// ${"TO"}DO later\n`), /do it now/);
  broken(word(`// ${"deno-lint"}-ignore no-explicit-any\n`), /write the reason/);
  clean(word("// deno-lint-ignore no-explicit-any -- it is invariant\ntype B = A<any>;"));
  clean(word("// any of these! Is it any good?\nif (a !== b && !c) list.any(x);\nf(!d);"));
  clean(word(`const any = 1; const text = 'as ${"any"}'; g(x != y);`));
});

Deno.test("tidy rules: end-to-end tests", () => {
  broken(
    unguardedTest(file("tests/e2e/a_test.ts", "\nDeno.test('x', f);")),
    /a_test.ts:2: .*e2e\(/,
  );
  clean(unguardedTest(file("tests/e2e/a_test.ts", "e2e('x', { needs: [] }, f);")));
  clean(unguardedTest(file("model/a_test.ts", "Deno.test('x', f);")));
});

Deno.test("tidy rules: native access", () => {
  broken(nativeAccess(file("app/a.ts", "f(() => Deno.dlopen(p, {}));")), /only ffi\/ may/);
  broken(nativeAccess(file("ffi/a.ts", "const l = Deno.dlopen(p, {});")), /being imported/);
  clean(nativeAccess(file("ffi/a.ts", "function open() { return Deno.dlopen(p, {}); }")));
  clean(nativeAccess(file("app/a.ts", "// Deno.dlopen is in ffi/\n")));
});

Deno.test("tidy rules: places of one machine", () => {
  broken(machinePaths(file("README.md", `see ${"/ho"}me/ann/x`)), /README.md:1/);
  broken(machinePaths(file("app/a.ts", `"${"/tm"}p/mine/x"`)), /path or host of one machine/);
  clean(machinePaths(file("README.md", "writes to /tmp, reads /proc, src/home/ann/x.ts")));
});

Deno.test("tidy rules: crowded folders", () => {
  const paths = Array.from({ length: 17 }, (_, i) => `app/f${i}.ts`);
  const exempt = (folder: string) => folder === "queries/std";
  broken(crowdedFolders(paths, exempt), /app:1: 17 source files/);
  clean(crowdedFolders(paths.map((path) => path.replace("app", "queries/std")), exempt));
  clean(crowdedFolders(paths.map((path) => path.replace(".ts", "_test.ts")), exempt));
});

Deno.test("tidy rules: links", () => {
  const anchors = (path: string) =>
    path.endsWith("B.md") ? headingAnchors("# Add a `thing`, fast\n") : undefined;
  const exists = (path: string) => ["docs/A.md", "docs/B.md", "LICENSE"].includes(path);
  const links = (text: string) => brokenLinks(file("docs/A.md", text), anchors, exists);
  broken(links("\n[x](C.md)"), /docs\/A.md:2: the link to C.md leads to no file/);
  broken(links("[x](B.md#nowhere)"), /no heading in docs\/B.md has the anchor #nowhere/);
  clean(links("[x](../LICENSE) [y](B.md) ![z](https://example.org/a.png) `[a](b)`"));
});
