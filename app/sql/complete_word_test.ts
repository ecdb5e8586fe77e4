// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { completeWord } from "./complete_word.ts";

const column = (name: string) => ({ name, type: "VARCHAR", doc: "" });
const tables = [
  { name: "spans", columns: [column("service"), column("status")] },
  { name: "store_meta", columns: [column("key")] },
];

Deno.test("tables stand after FROM, columns of the named table elsewhere", () => {
  assert.deepEqual(completeWord("SELECT * FROM s", tables), [["spans", "store_meta"], "s"]);
  assert.deepEqual(completeWord("FROM spans WHERE st", tables)[0], [
    "status",
    "store_meta",
  ]);
  assert.deepEqual(completeWord("SELECT k", tables), [["key"], "k"]);
  assert.ok(completeWord("sel", tables)[0].includes("SELECT"));
});

Deno.test("dot commands stand at the start of a line only", () => {
  assert.deepEqual(completeWord(".t", tables), [[".tables"], ".t"]);
  assert.deepEqual(completeWord(".schema sp", tables), [["spans"], "sp"]);
});
