// SPDX-License-Identifier: Apache-2.0
// Statements → masked text, summary, identity.

import assert from "node:assert/strict";
import fc from "fast-check";
import { describeSql } from "./sql_text.ts";

const CASES: [dialect: "postgresql" | "mysql", sql: string, masked: string, summary: string][] = [
  ["postgresql", "SELECT * FROM t WHERE id = 42", "SELECT * FROM t WHERE id = ?", "SELECT t"],
  [
    "postgresql",
    "select a from s.t where b = 'x''y'",
    "select a from s.t where b = ?",
    "SELECT s.t",
  ],
  ["postgresql", "SELECT $tag$ secret $tag$, $1", "SELECT ?, $1", "SELECT"],
  ["postgresql", `SELECT "Col" FROM "T"`, `SELECT "Col" FROM "T"`, "SELECT T"],
  ["mysql", `SELECT "secret" FROM \`db\`.\`t\``, "SELECT ? FROM `db`.`t`", "SELECT db.t"],
  ["mysql", "SELECT 'it\\'s' , 2", "SELECT ? , ?", "SELECT"],
  ["mysql", "# note\nUPDATE t SET a=1.5e-3, b=0x1F", "UPDATE t SET a=?, b=?", "UPDATE t"],
  [
    "postgresql",
    "INSERT INTO t(a, b) VALUES (1, 'x'), (2, 'y')",
    "INSERT INTO t(a, b) VALUES (?)",
    "INSERT t",
  ],
  ["postgresql", "SELECT 1 WHERE a IN (1, 2,3)", "SELECT ? WHERE a IN (?)", "SELECT"],
  ["postgresql", "SELECT E'a\\'b', X'1f'", "SELECT ?, ?", "SELECT"],
  [
    "postgresql",
    "WITH x AS (SELECT 1) UPDATE t SET a = 1",
    "WITH x AS (SELECT ?) UPDATE t SET a = ?",
    "UPDATE t",
  ],
  ["postgresql", "-- a comment\nBEGIN", "BEGIN", "BEGIN"],
  ["postgresql", "copy account to stdout;", "copy account to stdout", "COPY account"],
  ["postgresql", "SELECT 'never closed", "SELECT ?", "SELECT"],
  ["postgresql", "", "", ""],
];

for (const [dialect, sql, masked, summary] of CASES) {
  Deno.test(`describes ${dialect}: ${sql.slice(0, 50)}`, () => {
    const text = describeSql(sql, dialect);
    assert.equal(text.masked, masked);
    assert.equal(text.summary, summary);
  });
}

Deno.test("reads the trace context of a comment", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const sql = `SELECT 1 /*traceparent='00-${trace}-b7ad6b7169203331-01'*/`;
  assert.deepEqual(describeSql(sql, "other").identity, {
    traceId: trace,
    parentId: "b7ad6b7169203331",
  });
});

Deno.test("only what ends a statement is trimmed, however much stands before it", () => {
  const separators = ";".repeat(100_000);
  const { masked } = describeSql(`${separators}COMMIT ;\n; `, "other");
  assert.equal(masked, `${separators}COMMIT`);
});

Deno.test("no literal survives, whatever surrounds it", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (before, after) => {
    const head = before.replace(/['"$`#\-/\\]/g, "");
    const { masked } = describeSql(`SELECT ${head} 'hunter2secret' ${after}`, "postgresql");
    assert.ok(!masked.includes("hunter2secret"));
  }));
});
