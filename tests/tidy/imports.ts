// SPDX-License-Identifier: Apache-2.0
// Who imports whom: the rules of ARCHITECTURE.md as data, and the search for cycles.

import { isTest, isTypeScript, lineAt, type SourceFile, type Violation } from "./source_tree.ts";

/** One import or re-export: a path of this repository, or a package's name. */
export interface Import {
  readonly line: number;
  readonly target: string;
  readonly isOurs: boolean;
  readonly isTypeOnly: boolean;
}

/** Folders and where each may import from, beside itself; the longest folder that fits wins. */
const layers: readonly { folder: string; may: readonly string[] }[] = [
  { folder: "model/", may: [] },
  { folder: "engine/", may: [] },
  { folder: "ffi/", may: ["bpf/event.gen.ts"] },
  { folder: "operators/", may: ["engine/", "model/", "operators/wire/"] },
  { folder: "operators/wire/", may: ["model/"] },
  { folder: "operators/protocols/", may: ["operators/wire/", "model/"] },
  {
    folder: "operators/sources/",
    may: ["engine/", "model/", "operators/wire/", "ffi/", "bpf/event.gen.ts"],
  },
  {
    folder: "operators/sinks/",
    may: ["engine/", "model/", "operators/wire/", "queries/store/"],
  },
  { folder: "queries/", may: ["model/", "operators/protocols/registry", "operators/wire/"] },
  { folder: "examples/", may: ["mod.ts"] },
  { folder: "bpf/", may: ["model/", "ffi/"] },
];

const packagesAt: readonly { name: RegExp; folders: readonly string[] }[] = [
  { name: /^@duckdb\//, folders: ["queries/store/"] },
  { name: /^@uwdata\/flechette/, folders: ["queries/store/"] },
  { name: /^hono/, folders: ["app/"] },
  { name: /^@stricli\//, folders: ["app/cli/"] },
];

export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const statement = /\b(?:import|export)(\s+type)?\b[^;"'`()]*?\bfrom\s*(["'])([^"'\n]+)\2/g;
  const others = /\bimport\s*\(?\s*(["'])([^"'\n]+)\1|new URL\(\s*(["'])([^"'\n]+\.tsx?)\3/g;
  const add = (index: number, specifier: string, isTypeOnly: boolean) => {
    if (!/\S/.test(file.masked.slice(index, index + 6))) return; // inside a comment or a string
    const isOurs = specifier.startsWith(".");
    const target = isOurs ? resolve(file.path, specifier) : specifier;
    found.push({ line: lineAt(file.text, index), target, isOurs, isTypeOnly });
  };
  for (const match of file.text.matchAll(statement)) {
    add(match.index, match[3] ?? "", match[1] !== undefined);
  }
  for (const match of file.text.matchAll(others)) {
    add(match.index, match[2] ?? match[4] ?? "", false);
  }
  return found;
}

/** Imports across the layers, past the import map, or of a package where it is not due. */
export function layerViolations(file: SourceFile): Violation[] {
  if (!isTypeScript(file.path)) return [];
  return importsOf(file).flatMap((entry) => {
    const problem = entry.isOurs
      ? crossing(file.path, entry.target)
      : outsider(file.path, entry.target);
    return problem === undefined ? [] : [`${file.path}:${entry.line}: ${problem}`];
  });
}

function crossing(from: string, to: string): string | undefined {
  if (to.startsWith("../")) return `imports ${to}, which lies outside the repository`;
  if (isTest(from)) return undefined;
  if (to.startsWith("tests/") || /_test\.tsx?$/.test(to)) {
    return `imports the test file ${to}; move what both need out of the tests`;
  }
  const layer = layerOf(from);
  if (layer === undefined || layerOf(to) === layer) return undefined;
  if (layer.may.some((folder) => to.startsWith(folder))) return undefined;
  const may = layer.may.length === 0 ? "nothing of ours" : `only ${layer.may.join(", ")}`;
  return `imports ${to}, but ${layer.folder} may import ${may} (see ARCHITECTURE.md)`;
}

function outsider(from: string, name: string): string | undefined {
  if (/^(npm|jsr|https?):/.test(name)) {
    return `imports ${name} directly; name the package in deno.json and import it by that name`;
  }
  const rule = packagesAt.find((rule) => rule.name.test(name));
  if (rule === undefined || isTest(from)) return undefined;
  if (rule.folders.some((folder) => from.startsWith(folder))) return undefined;
  return `imports ${name}, which only ${rule.folders.join(", ")} may; go through its interface`;
}

function layerOf(path: string) {
  return layers.filter((layer) => path.startsWith(layer.folder))
    .sort((a, b) => b.folder.length - a.folder.length)[0];
}

/** Every cycle of imports, once each, as the files on the way round; types are erased first. */
export function importCycles(files: readonly SourceFile[]): Violation[] {
  const graph = new Map(
    files.filter((file) => isTypeScript(file.path)).map((file) => [
      file.path,
      importsOf(file).filter((entry) => entry.isOurs && !entry.isTypeOnly).map((entry) =>
        entry.target
      ),
    ]),
  );
  const state = new Map<string, "open" | "done">();
  const way: string[] = [];
  const cycles: Violation[] = [];
  const visit = (path: string) => {
    state.set(path, "open");
    way.push(path);
    for (const next of graph.get(path) ?? []) {
      if (state.get(next) === "open") {
        const round = [...way.slice(way.indexOf(next)), next].join(" -> ");
        cycles.push(
          `${path}:1: imports in a circle: ${round}; move what both need to a third file`,
        );
      } else if (!state.has(next) && graph.has(next)) visit(next);
    }
    way.pop();
    state.set(path, "done");
  };
  for (const path of graph.keys()) if (!state.has(path)) visit(path);
  return cycles;
}

function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.length === 0) return `../${specifier}`;
      parts.pop();
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
