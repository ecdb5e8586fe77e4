// SPDX-License-Identifier: Apache-2.0
// MariaDB by mysql2: plain, prepared, several statements at once, errors, other commands, and all
// of it compressed.

import { createRequire } from "node:module";
import process from "node:process";

const mysql = createRequire(`${process.env.MODULES}/`)("mysql2/promise");
const { PORT, COMPRESS } = process.env;

const connection = await mysql.createConnection({
  host: "127.0.0.1",
  port: Number(PORT),
  user: "root",
  multipleStatements: true,
  compress: COMPRESS === "yes",
});
await connection.query("CREATE DATABASE IF NOT EXISTS shop");
await connection.changeUser({ user: "root", database: "shop" });
await connection.query("CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(50))");
await connection.query("INSERT INTO item VALUES (1, 'pen'), (2, 'ink')");
await connection.query("SELECT * FROM item WHERE id = 1");
await connection.execute("SELECT name FROM item WHERE id = ?", [1]);
await connection.execute("SELECT name FROM item WHERE id = ?", [2]);
await connection.execute("UPDATE item SET name = ? WHERE id = ?", ["pencil", 1]);
await connection.query("SELECT nope FROM item").catch(() => {});
await connection.query("SELEC 1").catch(() => {});
await connection.execute("INSERT INTO item VALUES (?, ?)", [1, "again"]).catch(() => {});
await connection.query("SELECT 1; SELECT 2, 3; DELETE FROM item WHERE id = 99");
await connection.query("SELECT seq, REPEAT('x', 40) FROM seq_1_to_150");
await connection.ping();
await connection.query("DROP DATABASE shop");
await connection.end();
