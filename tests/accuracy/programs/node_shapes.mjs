// SPDX-License-Identifier: Apache-2.0
// Node, with what services do besides calling. Letters of a plan: r Redis, h HTTP, d DNS, n the next
// service; c a cache in front of Redis, x tries again after 4 ms, t a timer, s a part of the answer
// goes out, b the answer goes out and work goes on. SERVE=http2: multiplexed (h2c); NEXT=http2: so
// is the next service, over one connection.

import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const { PORT, REDIS_PORT, LEAF_PORT, DNS_PORT, NEXT_PORT, NEXT_PLAN, LOG } = process.env;
const log = fs.openSync(LOG, "a");
const agent = new http.Agent({ keepAlive: true });
const resolver = new Resolver();
resolver.setServers([`127.0.0.1:${DNS_PORT}`]);
const next = process.env.NEXT === "http2" ? http2.connect(`http://127.0.0.1:${NEXT_PORT}`) : null;
const idle = [];

const redis = (token) =>
  new Promise((resolve) => {
    const socket = idle.pop() ??
      net.connect({ port: REDIS_PORT, host: "127.0.0.1", noDelay: true });
    socket.write(`*2\r\n$3\r\nGET\r\n$${token.length}\r\n${token}\r\n`);
    socket.once("data", () => {
      idle.push(socket);
      resolve();
    });
  });

const get = (port, path, signal) =>
  new Promise((resolve, reject) => {
    const where = { port, host: "127.0.0.1", path, agent, signal };
    http.get(where, (response) => response.resume().on("end", resolve)).on("error", reject);
  });

const multiplexed = (path) =>
  new Promise((resolve) => next.request({ ":path": path }).resume().on("end", resolve).end());

async function tries(fresh) {
  for (let left = 2; left > 0; left--) {
    const done = await get(LEAF_PORT, `/leaf/${fresh()}`, AbortSignal.timeout(4))
      .then(() => true, () => false);
    if (done) return;
  }
  await get(LEAF_PORT, `/leaf/${fresh()}`);
}

const steps = {
  r: (fresh) => redis(fresh()),
  h: (fresh) => get(LEAF_PORT, `/leaf/${fresh()}`),
  d: (fresh) => resolver.resolve4(`${fresh()}.shop`),
  n: (fresh) => {
    const path = `/${NEXT_PLAN}/${fresh()}`;
    return next === null ? get(NEXT_PORT, path) : multiplexed(path);
  },
  c: (fresh) => Math.random() < 0.5 ? undefined : redis(fresh()),
  x: tries,
  t: () => sleep(1 + 4 * Math.random()),
  s: (_, response) => void response.write("part"),
  b: (_, response) => void response.end("ok"),
};

async function serve(request, response) {
  const [, plan, token] = request.url.split("/");
  const fresh = () => {
    const sent = randomBytes(6).toString("hex");
    fs.writeSync(log, `${token} ${sent}\n`);
    return sent;
  };
  for (const group of plan.split(".")) {
    const letters = [...group].filter((letter) => letter in steps);
    await Promise.all(letters.map((letter) => steps[letter](fresh, response)));
  }
  response.end("ok");
}

const server = process.env.SERVE === "http2"
  ? http2.createServer(serve)
  : http.createServer({ keepAliveTimeout: 60_000 }, serve);
server.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 512 });
