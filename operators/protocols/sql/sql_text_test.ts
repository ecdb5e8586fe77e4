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
  ["postgresql", "SELECT 1 WHERE a IN (1, 2, '3", "SELECT ? WHERE a IN (?", "SELECT"],
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

const TRACE = "0af7651916cd43dd8448eb211c80319c", SPAN = "b7ad6b7169203331";
const W3C = { traceId: TRACE, parentId: SPAN };
const COMMENTED: [sql: string, identity: unknown][] = [
  [`SELECT 1 /*traceparent='00-${TRACE}-${SPAN}-01'*/`, W3C],
  [`/* traceparent: 00-${TRACE}-${SPAN}-01 */ SELECT 1`, W3C],
  [`-- traceparent=00-${TRACE}-${SPAN}-01\nSELECT 1`, W3C],
  [`# traceparent: "00-${TRACE}-${SPAN}-00"\nSELECT 1`, W3C],
  [`SELECT 1 /*db='x',traceparent='00-${TRACE}-${SPAN}-01',tracestate='a%3Db'*/`, W3C],
  [`SELECT 1 /* uber-trace-id=${TRACE}%3A${SPAN}%3A0%3A1 */`, W3C],
  [`SELECT 1 /* b3:${TRACE}-${SPAN}-1 */`, W3C],
  [`SELECT 1 /* X-B3-TraceId: ${TRACE}, X-B3-SpanId: ${SPAN} */`, W3C],
  [`SELECT 1 /* x-request-id: r-1 */`, { requestId: "r-1" }],
  [`SELECT 'traceparent=00-${TRACE}-${SPAN}-01'`, null],
  ["SELECT 1 /* traceparent=none */", null],
];

for (const [sql, identity] of COMMENTED) {
  Deno.test(`trace context of a comment: ${sql.slice(0, 60)}`, () => {
    assert.deepEqual(describeSql(sql, "mysql").identity, identity);
  });
}

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

const SECRETS: [dialect: "postgresql" | "mysql" | "other", sql: string, masked: string][] = [
  ["postgresql", "ALTER ROLE bob PASSWORD hunter2", "ALTER ROLE bob PASSWORD ?"],
  [
    "postgresql",
    "ALTER ROLE bob WITH ENCRYPTED PASSWORD 'hunter2'",
    "ALTER ROLE bob WITH ENCRYPTED PASSWORD ?",
  ],
  ["postgresql", `CREATE USER bob PASSWORD "hunter2"`, "CREATE USER bob PASSWORD ?"],
  [
    "postgresql",
    "SELECT $a$hunter2$a$, E'x\\'hunter2', U&'hunter2', B'0101', X'1F'",
    "SELECT ?, ?, U&?, ?, ?",
  ],
  ["postgresql", "SELECT 1 /* a /* b */ hunter2 */ + 2", "SELECT ? + ?"],
  ["postgresql", "SELECT 1 -- hunter2\n, 2", "SELECT ? , ?"],
  [
    "postgresql",
    "PREPARE p AS SELECT * FROM t WHERE a = 'hunter2'",
    "PREPARE p AS SELECT * FROM t WHERE a = ?",
  ],
  ["postgresql", "EXECUTE p('hunter2', 7)", "EXECUTE p(?)"],
  [
    "postgresql",
    "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION ? PUBLICATION p",
  ],
  [
    "mysql",
    "SET PASSWORD FOR 'bob'@'%' = PASSWORD('hunter2')",
    "SET PASSWORD FOR ?@? = PASSWORD(?)",
  ],
  ["mysql", "CREATE USER bob IDENTIFIED BY 'hunter2'", "CREATE USER bob IDENTIFIED BY ?"],
  [
    "mysql",
    "GRANT ALL ON *.* TO bob IDENTIFIED BY PASSWORD '*hunter2'",
    "GRANT ALL ON *.* TO bob IDENTIFIED BY PASSWORD ?",
  ],
  [
    "mysql",
    "SELECT 'a\\'hunter2', \"b\\\"hunter2\", 0xDEAD, x'1F', _utf8'hunter2'",
    "SELECT ?, ?, ?, ?, _utf8?",
  ],
  ["mysql", "EXECUTE IMMEDIATE 'SELECT ''hunter2'''", "EXECUTE IMMEDIATE ?"],
  ["mysql", "SELECT /*!50000 'hunter2', */ 1", "SELECT ?"],
  [
    "other",
    "ALTER USER bob IDENTIFIED BY hunter2 REPLACE hunter2old",
    "ALTER USER bob IDENTIFIED BY ? REPLACE ?",
  ],
  ["other", `ALTER USER bob IDENTIFIED BY "hunter2"`, "ALTER USER bob IDENTIFIED BY ?"],
  [
    "other",
    "CREATE USER u IDENTIFIED WITH sha256_password BY 'hunter2'",
    "CREATE USER u IDENTIFIED WITH sha256_password BY ?",
  ],
  ["other", "CREATE LOGIN bob WITH PASSWORD = N'hunter2'", "CREATE LOGIN bob WITH PASSWORD = ?"],
  [
    "other",
    "SELECT * FROM t WHERE id = a50e8400-e29b-41d4-a716-446655440000",
    "SELECT * FROM t WHERE id = ?",
  ],
  [
    "other",
    "SELECT * FROM t WHERE id = 550e8400-e29b-41d4-a716-446655440000",
    "SELECT * FROM t WHERE id = ?",
  ],
];

for (const [dialect, sql, masked] of SECRETS) {
  Deno.test(`shows no value of ${dialect}: ${sql.slice(0, 60)}`, () => {
    assert.equal(describeSql(sql, dialect).masked, masked);
    assert.equal(describeSql(sql, dialect, true).text, sql);
  });
}

Deno.test("columns that are named like passwords stay", () => {
  for (
    const sql of [
      "SELECT password FROM users WHERE password = stored",
      "ALTER TABLE user ADD COLUMN password text",
      "CREATE TABLE users (password VARCHAR NOT NULL)",
      "SELECT a FROM users GROUP BY a ORDER BY password",
      "ALTER ROLE bob PASSWORD NULL",
      "CREATE USER bob PASSWORD EXPIRE NEVER",
    ]
  ) assert.equal(describeSql(sql, "postgresql").masked, sql);
});

const EQUAL: [summary: string, ...sql: string[]][] = [
  [
    "SELECT users",
    "SELECT * FROM users WHERE id = 1",
    "select *\n  from users where id=2",
    "SELECT * FROM users WHERE id IN (1, 2, 3)",
    "/* who */ SELECT * FROM users -- why",
    "Select * From \"users\" Where name = 'x'",
    "SELECT * FROM [users] WHERE id = @id",
  ],
  [
    "INSERT dbo.users",
    "INSERT INTO [dbo].[users] (a) VALUES (1)",
    "insert into dbo.users select 1",
  ],
  ["SELECT t", "SELECT * FROM (SELECT a FROM t) x", "select b from t"],
  [
    "SELECT t",
    "SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a) FROM t",
    "WITH x AS (SELECT 1 FROM t) SELECT * FROM x",
    "SELECT * FROM t WHERE a IN (SELECT a FROM u)",
  ],
  ["UPDATE t", "WITH x AS (SELECT 1 FROM u) UPDATE t SET a = 1"],
  ["COPY t", "COPY (SELECT a FROM t) TO STDOUT", "copy t from stdin"],
  ["CALL shop.pay", "CALL shop.pay(1)", "call shop.pay('x', 2)"],
  ["EXEC pay", "EXEC pay @a = 1", "exec pay"],
  ["LOAD t", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "load data infile 'y' into table t"],
  ["SELECT t", "SELECT * INTO OUTFILE '/x' FROM t", "SELECT a FROM t FOR UPDATE NOWAIT"],
];

for (const [summary, ...statements] of EQUAL) {
  Deno.test(`equal queries have one summary: ${summary}`, () => {
    for (const sql of statements) assert.equal(describeSql(sql, "other").summary, summary, sql);
  });
}
