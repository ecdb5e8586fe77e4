// SPDX-License-Identifier: Apache-2.0
// memcached in both of its protocols: memjs speaks the binary one, the package memcached text.

import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(`${process.env.MODULES}/`);
const server = `127.0.0.1:${process.env.PORT}`;

if (process.env.BINARY === "yes") {
  const client = require("memjs").Client.create(server);
  await client.set("user:1", "alice", { expires: 60 });
  await client.get("user:1");
  await client.get("nobody");
  await client.add("user:1", "again");
  await client.replace("user:1", "bob");
  await client.replace("nobody", "none");
  await client.set("n", "41", {});
  await client.increment("n", 1, { initial: 0 });
  await client.decrement("n", 2, { initial: 0 });
  await client.append("user:1", "!");
  await client.prepend("user:1", "!");
  await client.touch("user:1", 100);
  await client.delete("user:1");
  await client.delete("nobody");
  await client.set("long", "v".repeat(3_000), {});
  await client.get("long");
  await new Promise((resolve) => client.stats(resolve));
  client.quit();
} else {
  const Memcached = require("memcached");
  const client = new Memcached(server, { poolSize: 1, retries: 0 });
  const call = (name, ...args) =>
    new Promise((resolve) => client[name](...args, (_error, value) => resolve(value)));
  await call("set", "user:1", "alice", 60);
  await call("get", "user:1");
  await call("get", "nobody");
  await call("getMulti", ["user:1", "nobody"]);
  const { cas } = await call("gets", "user:1");
  await call("cas", "user:1", "bob", cas, 60);
  await call("cas", "user:1", "late", cas, 60);
  await call("add", "user:1", "again", 60);
  await call("replace", "nobody", "none", 60);
  await call("set", "n", "41", 60);
  await call("incr", "n", 1);
  await call("incr", "user:1", 1);
  await call("decr", "n", 2);
  await call("append", "user:1", "!");
  await call("prepend", "user:1", "!");
  await call("touch", "user:1", 100);
  await call("del", "user:1");
  await call("del", "nobody");
  await call("set", "long", "v".repeat(3_000), 60);
  await call("get", "long");
  await call("version");
  client.end();
}
