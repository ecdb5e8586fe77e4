// SPDX-License-Identifier: Apache-2.0
// A request that publishes a message, the broker, the consumer and what it calls for the message
// are one trace, although nothing in the bytes names it.

import assert from "node:assert/strict";
import { runToEnd, startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { freePort, isListening } from "../support/ports.ts";
import { startNodeServer, startPythonServer } from "../support/servers/script_server.ts";
import { startRedis } from "../support/servers/redis.ts";
import { runSpandrel, type SpanLine, startSpandrel } from "../support/spandrel.ts";

const NATS = `
import http from "node:http";
import net from "node:net";
const { PORT, BROKER, REDIS, SUBJECT } = process.env;
const broker = net.connect({ port: BROKER, host: "127.0.0.1" });
broker.write('CONNECT {"verbose":false}\\r\\n');
const redis = net.connect({ port: REDIS, host: "127.0.0.1" });
redis.on("data", () => {});
if (SUBJECT) broker.write("SUB " + SUBJECT + " 1\\r\\n");
broker.on("data", (data) => {
  for (const [, order] of data.toString().matchAll(/MSG \\S+ 1 \\d+\\r\\n(\\S+)/g)) {
    redis.write("*2\\r\\n$3\\r\\nGET\\r\\n$" + order.length + "\\r\\n" + order + "\\r\\n");
  }
});
http.createServer((request, response) => {
  const order = request.url.slice(1);
  broker.write("PUB orders " + order.length + "\\r\\n" + order + "\\r\\n");
  response.end("ok");
}).listen(PORT, "127.0.0.1");
`;

const LIST = `
import os, socket, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

def command(connection, *words):
    parts = "".join(f"\${len(word)}\\r\\n{word}\\r\\n" for word in words)
    connection.sendall(f"*{len(words)}\\r\\n{parts}".encode())
    return connection.recv(4096).decode()

def connect():
    return socket.create_connection(("127.0.0.1", int(os.environ["REDIS"])))

def consume():
    queue, store = connect(), connect()
    while True:
        reply = command(queue, "BLPOP", "orders", "0")
        command(store, "GET", reply.split("\\r\\n")[4])

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        connection = connect()
        command(connection, "RPUSH", "orders", self.path[1:])
        connection.close()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

if os.environ.get("SUBJECT"):
    threading.Thread(target=consume, daemon=True).start()
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
`;

/** Who did what, from the root of a trace down to the only GET. */
async function wayToGet(db: string, key: string): Promise<string[]> {
  const { stdout, stderr } = await runSpandrel(["export", "--db", db, "--format", "json"]);
  const lines = stdout.trim().split("\n").filter(Boolean);
  const spans = lines.map((line): SpanLine => JSON.parse(line));
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  let span = spans.find((each) =>
    each["kind"] === "server" && each["attributes"] !== null &&
    (each["attributes"] as Record<string, unknown>)["key"] === key && each["request_type"] === "GET"
  );
  assert.ok(span !== undefined, `no GET of ${key}: ${stderr}`);
  const way: string[] = [];
  for (; span !== undefined; span = byId.get(span.parent_span_id ?? "")) {
    way.unshift(`${span["protocol"]} ${span["kind"]} ${span["request_type"]}`);
  }
  return way;
}

async function traced(
  start: (env: Record<string, string>) => Promise<AsyncDisposable & { readonly url: string }>,
  env: Record<string, string>,
): Promise<{ way: string[]; explained: string }> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-queue-" });
  try {
    const [recording, db] = [`${folder}/recording`, `${folder}/spans.duckdb`];
    {
      await using tracer = await startSpandrel(["record", recording], { whenTracing: true });
      await using consumer = await start({ ...env, SUBJECT: "orders" });
      await using producer = await start(env);
      assert.ok(consumer.url !== producer.url);
      for (const order of ["o-1", "o-2", "o-3"]) {
        await runToEnd("curl", { args: ["-sS", "-o", "/dev/null", `${producer.url}/${order}`] });
      }
      const stats = { args: ["-p", env["REDIS"] ?? "", "info", "commandstats"] };
      await until(
        "the calls of the consumer",
        async () => /cmdstat_get:calls=3/.test(await runToEnd("redis-cli", stats)),
      );
      assert.equal((await tracer.stop()).code, 0);
    }
    const stored = await runSpandrel(["trace", "--replay", recording, "--db", db]);
    assert.equal(stored.code, 0, stored.stderr);
    const way = await wayToGet(db, "o-2");
    const query =
      "select lower(hex(span_id)) id from spans where link_evidence = 'message' limit 1";
    const { stdout: ids } = await runSpandrel(["sql", "--db", db, "--json", query]);
    const id = /"id":\s*"([0-9a-f]+)"/.exec(ids)?.[1]?.padStart(16, "0") ?? "";
    const { stdout: explained } = await runSpandrel(["explain", "--db", db, id]);
    return { way, explained };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

e2e("queues: NATS, from a request over the broker to what the consumer calls", {
  needs: ["bpf", "node", "nats", "redis", "curl"],
}, async () => {
  const port = freePort();
  await using redis = await startRedis();
  await using _broker = await startChild("nats-server", {
    args: ["--addr", "127.0.0.1", "--port", `${port}`],
    ready: () => isListening(port),
  });
  const env = { BROKER: `${port}`, REDIS: `${redis.port}` };
  const { way, explained } = await traced(
    (more) => startNodeServer({ source: NATS, env: more }),
    env,
  );
  assert.deepEqual(way, [
    ...["http client GET", "http server GET", "nats producer PUB", "nats consumer PUB"],
    ...["nats producer MSG", "nats consumer MSG", "redis client GET", "redis server GET"],
  ]);
  assert.match(explained, /message 99.9%: the broker had been handed the same message/);
});

e2e("queues: a list of Redis, popped by a thread that waits for elements", {
  needs: ["bpf", "python", "redis", "curl"],
}, async () => {
  await using redis = await startRedis();
  const env = { REDIS: `${redis.port}` };
  const { way } = await traced((more) => startPythonServer({ source: LIST, env: more }), env);
  assert.deepEqual(way, [
    ...["http client GET", "http server GET", "redis client RPUSH", "redis server RPUSH"],
    ...["redis producer DELIVER", "redis consumer DELIVER", "redis client GET", "redis server GET"],
  ]);
});
