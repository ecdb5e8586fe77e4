// SPDX-License-Identifier: Apache-2.0
// Node and NATS: a producer that answers once it has published, and a consumer (ROLE=consumer) that
// calls for each message, some at the same time. The subject is jobs.PLAN.TOKEN.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import process from "node:process";

const { PORT, REDIS_PORT, LEAF_PORT, NEXT_PORT, LOG, ROLE } = process.env;
const log = fs.openSync(LOG, "a");
const agent = new http.Agent({ keepAlive: true });
const idle = [];

function fresh(token) {
  const sent = randomBytes(6).toString("hex");
  fs.writeSync(log, `${token} ${sent}\n`);
  return sent;
}

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

const get = (token) =>
  new Promise((resolve) =>
    http.get(
      { port: LEAF_PORT, host: "127.0.0.1", path: `/leaf/${token}`, agent },
      (response) => response.resume().on("end", resolve),
    )
  );

async function consume(plan, token) {
  for (const letter of plan) {
    if (letter === "r") await redis(fresh(token));
    if (letter === "h") await get(fresh(token));
  }
}

let rest = "";
const broker = net.connect({ port: NEXT_PORT, host: "127.0.0.1", noDelay: true });
broker.write('CONNECT {"verbose":false}\r\n');
broker.on("data", (data) => {
  const lines = (rest + data).split("\r\n");
  rest = lines.pop();
  for (const line of lines) {
    const [verb, subject] = line.split(" ");
    if (verb === "PING") broker.write("PONG\r\n");
    if (verb === "MSG") consume(...subject.split(".").slice(1));
  }
});

if (ROLE === "consumer") broker.write("SUB jobs.> 1\r\n");
const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const [, plan, token] = request.url.split("/");
  broker.write(`PUB jobs.${plan.replaceAll(".", "")}.${fresh(token)} 2\r\n{}\r\n`);
  response.writeHead(200, { "content-length": 2 }).end("ok");
});
server.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 512 });
