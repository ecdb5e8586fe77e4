// SPDX-License-Identifier: Apache-2.0
// Node with the client libraries that services use: pg's Pool of four connections, ioredis with one
// connection on which requests are pipelined, fetch for HTTP.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const { PORT, REDIS_PORT, LEAF_PORT, POSTGRES_PORT, LOG, MODULES } = process.env;
const require = createRequire(`${MODULES}/`);
const { Pool } = require("pg");
const Redis = require("ioredis");

const log = fs.openSync(LOG, "a");
const redis = new Redis({ port: Number(REDIS_PORT), host: "127.0.0.1" });
const where = { host: "127.0.0.1", port: Number(POSTGRES_PORT), user: "postgres" };
const pool = new Pool({ ...where, database: "postgres", max: 4 });

const calls = {
  r: (token) => redis.get(token),
  h: async (token) => await (await fetch(`http://127.0.0.1:${LEAF_PORT}/leaf/${token}`)).text(),
  p: (token) => pool.query(`SELECT '${token}', pg_sleep(random() * 0.004)`),
};

const server = http.createServer(async (request, response) => {
  const [, plan, token] = request.url.split("/");
  const groups = plan.split(".").map((group) =>
    [...group].filter((letter) => letter in calls)
      .map((letter) => ({ call: calls[letter], token: randomBytes(6).toString("hex") }))
  );
  fs.writeSync(log, [token, ...groups.flat().map(({ token }) => token)].join(" ") + "\n");
  for (const group of groups) await Promise.all(group.map(({ call, token }) => call(token)));
  response.writeHead(200, { "content-length": 2 }).end("ok");
});
server.keepAliveTimeout = 60_000;
server.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 512 });
