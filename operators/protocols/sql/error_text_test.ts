// SPDX-License-Identifier: Apache-2.0
// Error messages: names and words stay, values and parts of statements go.

import assert from "node:assert/strict";
import { errorText } from "./error_text.ts";

const CASES: [said: string, shown: string][] = [
  // PostgreSQL
  ['relation "t" does not exist', 'relation "t" does not exist'],
  [
    'null value in column "a" of relation "t" violates not-null constraint',
    'null value in column "a" of relation "t" violates not-null constraint',
  ],
  [
    'password authentication failed for user "bob"',
    'password authentication failed for user "bob"',
  ],
  ['invalid input syntax for type integer: "hunter2"', "invalid input syntax for type integer: ?"],
  [
    'value "99999999999" is out of range for type integer',
    "value ? is out of range for type integer",
  ],
  ['syntax error at or near "hunter2"', "syntax error at or near ?"],
  [
    `unterminated quoted string at or near "'a "hunter2`,
    "unterminated quoted string at or near ?",
  ],
  // MySQL
  ["Duplicate entry 'hunter2' for key 'users.email'", "Duplicate entry ? for key ?"],
  ["Duplicate entry 'o'hunter2' for key 'users.email'", "Duplicate entry ? for key ?"],
  ["Table 'shop.orders' doesn't exist", "Table ? doesn't exist"],
  [
    "You have an error in your SQL syntax; near 'FORM t WHERE a = 'hunter2' AND' at line 1",
    "You have an error in your SQL syntax; near ? at line ?",
  ],
  ["Data too long for column 'it's hunter2' at row 1", "Data too long for column ? at row ?"],
  // SQL Server
  [
    "Violation of UNIQUE KEY constraint 'u'. The duplicate key value is (hunter2, b).",
    "Violation of UNIQUE KEY constraint ?. The duplicate key value is (?).",
  ],
  // MongoDB
  [
    'E11000 duplicate key error collection: db.users index: email_1 dup key: { email: "hunter2" }',
    "E11000 duplicate key error collection: db.users index: email_1 dup key: { email: ? }",
  ],
  // ClickHouse
  [
    "Syntax error: failed at position 8 ('hunter2'): hunter2 FROM t. Expected one of: token",
    "Syntax error: failed at position ?. Expected one of: token",
  ],
  ["Key (email)=(hunter2) already exists.", "Key (email)=(?) already exists."],
  ["x1 + 12.5 and .5, 0x1F", "x1 + ? and ?, ?"],
];

for (const [said, shown] of CASES) {
  Deno.test(`error text: ${said.slice(0, 60)}`, () => {
    assert.equal(errorText(said, false), shown);
    assert.equal(errorText(said, true), said);
  });
}
