// SPDX-License-Identifier: Apache-2.0
// Node's http server. POOL=n: n connections per end, used again, with a queue of those who wait;
// without, every call opens its own. Calls between the same dots of a plan run at the same time.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import process from "node:process";

const { PORT, REDIS_PORT, LEAF_PORT, LOG, POOL } = process.env;
const connectionsMax = Number(POOL ?? 0);
const log = fs.openSync(LOG, "a");
const agent = new http.Agent(
  connectionsMax > 0 ? { keepAlive: true, maxSockets: connectionsMax } : { keepAlive: false },
);

const idle = [];
const waiting = [];
let opened = 0;

function withRedis(use) {
  const socket = idle.pop();
  if (socket !== undefined) use(socket);
  else if (connectionsMax > 0 && opened >= connectionsMax) waiting.push(use);
  else {
    opened++;
    const fresh = net.connect({ port: Number(REDIS_PORT), host: "127.0.0.1", noDelay: true });
    fresh.once("connect", () => use(fresh));
  }
}

function giveBack(socket) {
  const next = waiting.shift();
  if (connectionsMax === 0) socket.end();
  else if (next === undefined) idle.push(socket);
  else next(socket);
}

function askRedis(token) {
  return new Promise((resolve) =>
    withRedis((socket) => {
      socket.write(`*2\r\n$3\r\nGET\r\n$${token.length}\r\n${token}\r\n`);
      socket.once("data", () => {
        giveBack(socket);
        resolve();
      });
    })
  );
}

function askHttp(token) {
  return new Promise((resolve, reject) => {
    const where = { port: LEAF_PORT, host: "127.0.0.1", path: `/leaf/${token}`, agent };
    http.get(where, (response) => response.resume().on("end", resolve)).on("error", reject);
  });
}

const calls = { r: askRedis, h: askHttp };

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
