// SPDX-License-Identifier: Apache-2.0
// PostgreSQL by pg: simple and prepared statements, several in one, transactions, an error, many
// rows, nothing.

import { createRequire } from "node:module";
import process from "node:process";

const { Client } = createRequire(`${process.env.MODULES}/`)("pg");
const client = new Client({
  host: "127.0.0.1",
  port: Number(process.env.PORT),
  user: "postgres",
  database: "postgres",
});
await client.connect();
await client.query("CREATE TABLE account (id int PRIMARY KEY, owner text)");
await client.query("INSERT INTO account VALUES (1, 'alice'), (2, 'bob')");
await client.query("SELECT owner FROM account WHERE id = $1", [1]);
const named = { name: "owner-of", text: "SELECT id, owner FROM account WHERE owner = $1" };
await client.query({ ...named, values: ["alice"] });
await client.query({ ...named, values: ["bob"] });
await client.query({ ...named, values: ["nobody"] });
await client.query("BEGIN");
await client.query("UPDATE account SET owner = $2 WHERE id = $1", [2, "carol"]);
await client.query("COMMIT");
await client.query("SELECT nope FROM account").catch(() => {});
await client.query("SELEC 1").catch(() => {});
await client.query("INSERT INTO account VALUES ($1, $2)", [1, "again"]).catch(() => {});
await client.query("SELECT 1; SELECT 2, 3");
await client.query("SELECT g, repeat('x', 40) FROM generate_series(1, 150) g");
await client.query("DELETE FROM account WHERE id > 100");
await client.query("");
await client.end();
