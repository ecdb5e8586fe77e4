// SPDX-License-Identifier: Apache-2.0

import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { acquireFile, lockPath } from "./file_access.ts";

/** The first 12 KiB of any database, as far as its form is looked at before the engine does. */
function databaseHead(): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(12_288);
  head.set(new TextEncoder().encode("DUCK"), 8);
  return head;
}

Deno.test("file access: one writer or several readers, and copies in between", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/spans.duckdb`;
  {
    await using writer = await acquireFile(path, false);
    equal(writer.path, path);
    equal(await Deno.readTextFile(lockPath(path)), `${Deno.pid}\n`);
    await Deno.writeFile(path, databaseHead());
    await rejects(acquireFile(path, false), new RegExp(`process ${Deno.pid} is using it`));
    let copy: string;
    {
      await using reader = await acquireFile(path, true);
      copy = reader.path;
      match(copy, /spandrel-copy-.*\/spans\.duckdb$/);
      equal((await Deno.readFile(copy)).length, 12_288);
    }
    await rejects(Deno.stat(copy), Deno.errors.NotFound);
  }
  {
    await using first = await acquireFile(path, true);
    await using second = await acquireFile(path, true);
    equal(first.path, path);
    equal(second.path, path);
    await rejects(acquireFile(path, false), /is using it; stop that one first/);
  }
  await (await acquireFile(path, false))[Symbol.asyncDispose]();
  deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["spans.duckdb"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("file access: what cannot be opened is told in a few words", async (t) => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/notes.txt`, "These are notes, not spans.");
  await Deno.writeFile(`${folder}/short`, databaseHead().subarray(0, 5_000));
  await Deno.writeFile(`${folder}/empty`, new Uint8Array(0));
  const cases: [string, string, boolean, RegExp][] = [
    ["no directory", `${folder}/none/spans`, false, /^its directory does not exist$/],
    ["no file", `${folder}/none`, true, /^there is no such file$/],
    ["a directory", folder, false, /^it is a directory; name a file in it$/],
    ["a device", "/dev/null", false, /^it is not a regular file$/],
    ["another kind of file", `${folder}/notes.txt`, false, /^it is not a DuckDB database$/],
    ["cut short", `${folder}/short`, true, /^the file is damaged; move it away/],
    ["nothing in it", `${folder}/empty`, true, /^it is empty$/],
  ];
  for (const [name, path, readOnly, reason] of cases) {
    await t.step(name, () =>
      rejects(acquireFile(path, readOnly), (error: Error) => {
        match(error.message, reason);
        return true;
      }));
  }
  await Deno.remove(folder, { recursive: true });
});
