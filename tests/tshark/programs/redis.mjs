// SPDX-License-Identifier: Apache-2.0
// Redis by ioredis: single commands, a pipeline, a transaction, errors, types of replies.

import { createRequire } from "node:module";
import process from "node:process";

const Redis = createRequire(`${process.env.MODULES}/`)("ioredis");
const redis = new Redis({ host: "127.0.0.1", port: Number(process.env.PORT) });

await redis.set("user:1", "alice");
await redis.get("user:1");
await redis.get("nobody");
await redis.incr("counter");
await redis.hset("cart:7", "apple", 2, "pear", 5);
await redis.hgetall("cart:7");
await redis.mset("a", "1", "b", "2");
await redis.mget("a", "b", "c");
await redis.lpush("queue", "x", "y", "z");
await redis.lrange("queue", 0, -1);
await redis.lpush("user:1", "no list").catch(() => {});
await redis.call("NOSUCH", "thing").catch(() => {});
await redis.config("GET", "maxmemory");
await redis.set("blob", Buffer.from([0, 1, 2, 13, 10, 255]));
await redis.set("long", "v".repeat(3_000), "EX", 60);
await redis.get("long");
await redis.pipeline().set("p1", 1).get("p1").incrby("p1", 41).get("p1").del("p1").exec();
await redis.multi().incr("t").incr("t").exec();
await redis.eval("return {1, 'two', false}", 1, "key");
await redis.quit();
