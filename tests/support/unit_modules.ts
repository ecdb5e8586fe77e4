// SPDX-License-Identifier: Apache-2.0
// All unit tests as a few modules, one per core: an isolate for each of a hundred test files costs
// twice the processor time of the tests themselves.

export interface UnitModules extends AsyncDisposable {
  /** Temporary modules that import the test files; their tests report the files' own places. */
  readonly paths: readonly string[];
}

const foldersAside = new Set([".git", ".build", "node_modules", "coverage", "e2e", "bench"]);

export async function writeUnitModules(root: string, count: number): Promise<UnitModules> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-unit-" });
  const files = testFiles(root).sort();
  const groups = Array.from({ length: count }, (_, i) => files.filter((_, j) => j % count === i));
  const paths = groups.filter((group) => group.length > 0)
    .map((_, i) => `${folder}/part_${i + 1}_test.ts`);
  for (const [i, path] of paths.entries()) {
    const imports = groups[i]?.map((file) => `import ${JSON.stringify(`file://${file}`)};\n`) ?? [];
    await Deno.writeTextFile(path, imports.join(""));
  }
  return { paths, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return foldersAside.has(entry.name) ? [] : testFiles(path);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  });
}
