// SPDX-License-Identifier: Apache-2.0
// Node as services are written: Express, axios over connections that stay open, pg's Pool of ten,
// and node-redis, which gathers the commands of a turn of the event loop and sends them together.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const { PORT, REDIS_PORT, LEAF_PORT, POSTGRES_PORT, LOG, MODULES } = process.env;
const require = createRequire(`${MODULES}/`);
const axios = require("axios");
const express = require("express");
const { Pool } = require("pg");
const { createClient } = require("redis");

const log = fs.openSync(LOG, "a");
const redis = createClient({ url: `redis://127.0.0.1:${REDIS_PORT}` });
await redis.connect();
const where = { host: "127.0.0.1", port: Number(POSTGRES_PORT), user: "postgres" };
const pool = new Pool({ ...where, database: "postgres", max: 10 });
const leaf = axios.create({
  baseURL: `http://127.0.0.1:${LEAF_PORT}`,
  httpAgent: new http.Agent({ keepAlive: true }),
});

const calls = {
  r: (token) => redis.get(token),
  h: (token) => leaf.get(`/leaf/${token}`),
  p: (token) => pool.query(`SELECT '${token}'`),
};

const app = express();
app.use(express.json());
app.get("/:plan/:token", async (request, response) => {
  const { plan, token } = request.params;
  for (const group of plan.split(".")) {
    const letters = [...group].filter((letter) => letter in calls);
    await Promise.all(letters.map((letter) => {
      const sent = randomBytes(6).toString("hex");
      fs.writeSync(log, `${token} ${sent}\n`);
      return calls[letter](sent);
    }));
  }
  response.json({ plan });
});
const server = app.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 512 });
server.keepAliveTimeout = 60_000;
