// SPDX-License-Identifier: Apache-2.0
// The rules of this repository, kept by machine: who imports whom, sizes, names, first lines,
// words that switch checks off, native access, links. Each finding says where and what to do.

import assert from "node:assert/strict";
import { brokenLinks, headingAnchors } from "./tidy/documents.ts";
import { longFunctions } from "./tidy/functions.ts";
import { importCycles, layerViolations } from "./tidy/imports.ts";
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
} from "./tidy/lines.ts";
import { isGenerated, readSourceTree, type Violation } from "./tidy/source_tree.ts";

const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const all = readSourceTree(root);
const written = all.filter((file) => !isGenerated(file.path));
const paths = written.map((file) => file.path);

function rule(name: string, find: () => Violation[]): void {
  Deno.test(`tidy: ${name}`, () => {
    const found = find();
    assert.ok(found.length === 0, `${found.length} to mend:\n${found.join("\n")}`);
  });
}

rule("imports keep to the layers", () => written.flatMap(layerViolations));
rule("imports make no circle", () => importCycles(all));
rule(
  "names say what a file holds",
  () => paths.flatMap((path) => [...vagueName(path), ...oddName(path)]),
);
rule("files and lines are short", () => written.flatMap(sizes));
rule("functions are short", () => written.flatMap(longFunctions));
rule("folders are not crowded", () => crowdedFolders(paths, holdsOneKind));
rule("files begin with licence and purpose", () => written.flatMap(opening));
rule("nothing is switched off or left unfinished", () => written.flatMap(forbiddenWords));
rule("end-to-end tests take turns", () => written.flatMap(unguardedTest));
rule("native access stays in ffi/", () => written.flatMap(nativeAccess));
rule("no text names one machine", () => written.flatMap(machinePaths));
rule("links in documents lead somewhere", () => {
  const documents = all.filter((file) => file.path.endsWith(".md"));
  const anchors = new Map(documents.map((file) => [file.path, headingAnchors(file.text)]));
  return documents.flatMap((file) => brokenLinks(file, (path) => anchors.get(path), exists));
});

/** Folders whose files are many of one kind: the root, library queries, subjects of protocols. */
function holdsOneKind(folder: string): boolean {
  return folder === "" || folder === "queries/std" || folder.startsWith("operators/protocols");
}

function exists(path: string): boolean {
  try {
    Deno.statSync(`${root}/${path}`);
    return true;
  } catch {
    return false;
  }
}
