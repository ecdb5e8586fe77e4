// SPDX-License-Identifier: Apache-2.0
// The tests of a lane as a few modules, one per core: an isolate for each of a hundred test files
// costs twice the processor time of the tests themselves.

/** Lanes whose tests stand beside the code; the end of a file's name tells which one it is of. */
export type FileLane = "unit" | "integration";

export interface TestModules extends AsyncDisposable {
  /** Temporary modules that import the test files; their tests report the files' own places. */
  readonly paths: Readonly<Record<FileLane, readonly string[]>>;
}

const foldersAside = new Set([".git", ".build", "node_modules", "coverage", "e2e", "bench"]);

export async function writeTestModules(root: string, count: number): Promise<TestModules> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-tests-" });
  const files = testFiles(root).sort();
  const write = async (lane: FileLane): Promise<string[]> => {
    const own = files.filter((path) => laneOf(path) === lane);
    const groups = Array.from({ length: count }, (_, i) => own.filter((_, j) => j % count === i))
      .filter((group) => group.length > 0);
    return await Promise.all(groups.map(async (group, i) => {
      const path = `${folder}/${lane}_${i + 1}_test.ts`;
      const imports = group.map((file) => `import ${JSON.stringify(`file://${file}`)};\n`);
      await Deno.writeTextFile(path, imports.join(""));
      return path;
    }));
  };
  return {
    paths: { unit: await write("unit"), integration: await write("integration") },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const laneOf = (path: string): FileLane =>
  path.endsWith("_integration_test.ts") ? "integration" : "unit";

function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return foldersAside.has(entry.name) ? [] : testFiles(path);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  });
}
