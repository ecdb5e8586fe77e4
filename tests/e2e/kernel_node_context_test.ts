// SPDX-License-Identifier: Apache-2.0
// Contexts of Node as the script in it and the kernel programs tell them, against what the program
// says of itself: whatever it sends for a request bears the token of that request.

import assert from "node:assert/strict";
import { openHostFiles } from "../../ffi/host_files.ts";
import { openLibc } from "../../ffi/libc.ts";
import { nodeHost } from "../../operators/sources/coroutines/node/node_host.ts";
import { nodeWatch } from "../../operators/sources/coroutines/node/node_watch.ts";
import { startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { watch } from "./kernel_watch.ts";

/** At SIGUSR2 it asks itself, 60 times at once, and sends after waits of all kinds. */
const FAMILY = `
const fs = require("fs"), http = require("http"), net = require("net"), util = require("util");
const zlib = require("zlib"), { EventEmitter, once } = require("events");
const sleep = util.promisify(setTimeout);
let sink = null;
const agent = new http.Agent({ keepAlive: true, maxSockets: 3 });
const ask = (path) => new Promise((resolve, reject) =>
  http.get({ port: 7001, host: "127.0.0.1", path, agent },
    (response) => response.resume().on("end", resolve)).on("error", reject));
const thenable = { then: (resolve) => setImmediate(resolve) };
const ways = {
  timer: () => sleep(Math.random() * 3),
  file: () => util.promisify(fs.stat)("/"),
  pool: () => util.promisify(zlib.gzip)("some"),
  promise: () => Promise.resolve(),
  thenable: () => thenable,
  immediate: () => new Promise((resolve) => setImmediate(resolve)),
  tick: () => new Promise((resolve) => process.nextTick(resolve)),
  microtask: () => new Promise((resolve) => queueMicrotask(resolve)),
  emitter: async () => {
    const emitter = new EventEmitter();
    setTimeout(() => emitter.emit("done"), 1);
    await once(emitter, "done");
  },
  all: () => Promise.all([sleep(1), Promise.resolve()]),
  call: () => ask("/inner"),
};
async function handle(request, response) {
  const token = request.url.slice(1);
  if (token === "inner") return void setTimeout(() => response.end("inner"), Math.random() * 3);
  const send = (kind) => sink.write(token + " " + kind + " ");
  send("sync");
  for (const kind of Object.keys(ways).sort(() => Math.random() - 0.5)) {
    await ways[kind]();
    send(kind);
  }
  response.end(token + " answer ");
  await sleep(1);
  send("after");
}
net.createServer((socket) => socket.resume()).listen(7002, "127.0.0.1", () => {
  sink = net.connect({ port: 7002, host: "127.0.0.1", noDelay: true });
  http.createServer(handle).listen(7001, "127.0.0.1", () => console.log("ready"));
});
let rounds = 0;
process.on("SIGUSR2", async () => {
  const round = rounds++;
  const asked = Array.from({ length: 60 }, (_, i) => new Promise((resolve) =>
    http.get({ port: 7001, host: "127.0.0.1", path: "/r" + round + "t" + i },
      (response) => response.resume().on("end", resolve))));
  await Promise.all(asked);
  await sleep(20);
  console.log("round " + round);
});
`;

const KINDS = 14;

for (const path of ["fast", "portable"] as const) {
  e2e(`kernel: ${path} path tells for which request a Node program sends, where it says so`, {
    needs: ["bpf", "netns", "node"],
  }, async () => {
    await using netns = await createNetns();
    await using child = await startChild(Deno.env.get("NODE") ?? "node", {
      args: ["-e", FAMILY],
      netns: netns.name,
      ready: (c) => c.stdout().includes("ready"),
    });
    using seen = watch({ path });
    using libc = openLibc();
    const files = openHostFiles(libc);
    const node = nodeWatch(nodeHost(libc, files, seen.capture, {}));
    node.meet(child.pid, files.link(`/proc/${child.pid}/exe`) ?? "");
    const gap = () => node.seen()[0]?.gap;
    await seen.until("the program says for whom it sends", () => gap() === "");
    Deno.kill(child.pid, "SIGUSR2");
    await seen.until("it was asked", () => child.stdout().includes("round 0"));
    await node.end();
    Deno.kill(child.pid, "SIGUSR2");
    await seen.until("it was asked again", () => child.stdout().includes("round 1"));
    assert.doesNotMatch(child.stderr(), /Error/);

    const contexts = new Map<string, number>();
    let sent = 0;
    for (const { direction, payload, coroutine } of seen.dataOf(child.pid)) {
      const [said = "", round, token = ""] = /r(\d)(t\d+) (\w+) $/.exec(payload) ?? [];
      if (direction !== "out" || said === "") continue;
      if (round === "1") assert.equal(coroutine, 0, payload);
      else {
        assert.ok(coroutine > 0, payload);
        assert.equal(contexts.get(token) ?? coroutine, coroutine, payload);
        contexts.set(token, coroutine);
        sent++;
      }
    }
    assert.equal(sent, 60 * KINDS);
    assert.equal(new Set(contexts.values()).size, 60);
    const begun = seen.others.filter(({ kind, tgid }) =>
      kind === "coroutine" && tgid === child.pid
    );
    assert.ok(begun.length >= 120, `${begun.length} contexts began`);
  });
}
