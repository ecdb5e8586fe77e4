// SPDX-License-Identifier: Apache-2.0
// `trace --json` on real programs: exact spans, parents and byte counts, from the kernel to the
// line; the same again from a recording, twice, byte for byte.

import assert from "node:assert/strict";
import { SPAN_COLUMNS } from "../../model/span.ts";
import { runToEnd, startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { startRedis } from "../support/servers/redis.ts";
import { startNodeServer, startPythonServer } from "../support/servers/script_server.ts";
import { commandLine, runSpandrel, startSpandrel } from "../support/spandrel.ts";
import { type SpanLine, spansIn, spansWhen } from "../support/spandrel.ts";

const NODE_SERVICE = `
import http from "node:http";
const { PORT, NEXT } = process.env;
const agent = new http.Agent({ keepAlive: true });
http.createServer((request, response) => {
  http.get({ port: NEXT, host: "127.0.0.1", path: "/stock" + request.url, agent }, (next) => {
    response.writeHead(next.statusCode, { "content-length": 9 });
    next.resume().on("end", () => response.end("node done"));
  });
}).listen(PORT, "127.0.0.1");
`;

const PYTHON_SERVICE = `
import os, socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def setup(self):
        super().setup()
        self.redis = socket.create_connection(("127.0.0.1", int(os.environ["REDIS"])))
    def do_GET(self):
        key = self.path.split("/")[-1].encode()
        self.redis.sendall(b"*2\\r\\n$3\\r\\nGET\\r\\n$%d\\r\\n%s\\r\\n" % (len(key), key))
        found = self.redis.recv(4096) != b"$-1\\r\\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"stock")
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
`;

/** nginx → Node → Python → Redis, all at free ports. */
async function startChain() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  await runToEnd("redis-cli", { args: ["-p", `${redis.port}`, "SET", "7", "much"] });
  const python = stack.use(
    await startPythonServer({ source: PYTHON_SERVICE, env: { REDIS: `${redis.port}` } }),
  );
  const node = stack.use(
    await startNodeServer({ source: NODE_SERVICE, env: { NEXT: `${python.port}` } }),
  );
  const nginx = stack.use(
    await startNginx({
      http: `upstream app { server 127.0.0.1:${node.port}; keepalive 4; }`,
      server: `location / { proxy_pass http://app; proxy_http_version 1.1;
        proxy_set_header Connection ""; }`,
    }),
  );
  const ports = [nginx, node, python, redis].map(({ port }) => port);
  return { nginx, ports, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}

/** "curl GET /7 200 > nginx GET /7 200 > …": the way from the root to each leaf. */
function waysOf(spans: readonly SpanLine[]): string[] {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const parents = new Set(spans.map(({ parent_span_id }) => parent_span_id));
  const wayTo = (span: SpanLine): string => {
    const parent = byId.get(span.parent_span_id ?? "");
    const { process, kind, request_type, resource, response_code } = span;
    const own = `${process} ${kind} ${request_type} ${resource} ${response_code}`;
    return parent === undefined ? own : `${wayTo(parent)} > ${own}`;
  };
  return spans.filter(({ span_id }) => !parents.has(span_id)).map(wayTo).sort();
}

const isOf = (name: string) => (span: SpanLine) => span["process"] === name;

/** Commands are named as the kernel does, by the thread that moved the bytes. */
function expectedWay(path: string, key: string, code: number): string {
  return [
    `curl client GET ${path} ${code}`,
    `nginx server GET ${path} ${code}`,
    `nginx client GET ${path} ${code}`,
    `node server GET ${path} ${code}`,
    `node client GET /stock${path} ${code}`,
    `python3 server GET /stock${path} ${code}`,
    `python3 client GET GET ${key} null`,
    `redis-server server GET GET ${key} null`,
  ].join(" > ");
}

e2e("trace --json: nginx, Node, Python and Redis in one trace, to the byte", {
  needs: ["bpf", "nginx", "node", "python", "redis", "curl"],
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-trace-" });
  const path = `${folder}/spans.ndjson`;
  try {
    await using chain = await startChain();
    const words = ["trace", "--json", "--output", path, "--port", chain.ports.join(",")];
    await using tracer = await startSpandrel(words, { whenTracing: true });
    const sizes = "%{size_request} %{size_header} %{size_download}\n";
    const curl = (path: string) =>
      runToEnd("curl", { args: ["-sS", "-o", "/dev/null", "-w", sizes, chain.nginx.url + path] });
    const [sent, header, body] = (await curl("/7")).split(" ").map(Number);
    await curl("/8");
    const spans = await spansWhen(path, (spans) =>
      spans.filter(isOf("curl")).length === 2 &&
      spans.length === 16 && waysOf(spans).length === 2);
    assert.deepEqual(waysOf(spans), [expectedWay("/7", "7", 200), expectedWay("/8", "8", 404)]);
    const [client, server] = ["curl", "nginx"].map((name) => spans.find(isOf(name)));
    for (const end of [client, server]) {
      assert.equal(end?.["bytes_request"], sent);
      assert.equal(end?.["bytes_response"], (header ?? 0) + (body ?? 0));
    }
    checkForm(spans);
    assert.equal((await tracer.stop()).code, 0);
    assert.equal(tracer.stdout(), "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Every column is a key; ids are hex, times decimal text; there is no trace_id in the stream. */
function checkForm(spans: readonly SpanLine[]): void {
  const keys = new Set(Object.keys(SPAN_COLUMNS));
  for (const span of spans) {
    const has = new Set(Object.keys(span));
    if (!has.has("parent_span_id")) has.add("parent_span_id");
    assert.deepEqual(has, keys);
    assert.match(span.span_id, /^[0-9a-f]{16}$/);
    assert.match(String(span["start_unix_ns"]), /^\d{19}$/);
    assert.equal(typeof span["end_unix_ns"], "string");
    assert.ok(BigInt(String(span["end_unix_ns"])) >= BigInt(String(span["start_unix_ns"])));
    assert.equal(span["status"], span["response_code"] === 404 ? "client_error" : "ok");
  }
}

e2e("record and trace --replay: the same spans twice, and the same as live", {
  needs: ["bpf", "nginx", "node", "python", "redis", "curl"],
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-record-" });
  try {
    await using chain = await startChain();
    const words = ["record", `${folder}/rec`, "--port", chain.ports.join(",")];
    await using recorder = await startSpandrel(words, { whenTracing: true });
    for (const path of ["/7", "/8", "/7"]) {
      await runToEnd("curl", { args: ["-sS", "-o", "/dev/null", chain.nginx.url + path] });
    }
    assert.equal((await recorder.stop()).code, 0, recorder.stderr());
    const replay = () => runSpandrel(["trace", "--json", "--replay", `${folder}/rec`]);
    const [first, second] = [await replay(), await replay()];
    assert.equal(first.code, 0);
    assert.equal(first.stdout, second.stdout);
    assert.deepEqual(waysOf(spansIn(first.stdout)), [
      expectedWay("/7", "7", 200),
      expectedWay("/7", "7", 200),
      expectedWay("/8", "8", 404),
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Our programs in the kernel now; the lane lets no other tracer run meanwhile. */
async function probes(): Promise<number> {
  const list = await runToEnd("bpftool", { args: ["-j", "prog", "list"] });
  const programs: { name?: string }[] = JSON.parse(list);
  return programs.filter(({ name = "" }) => /^(socket|process)_/.test(name)).length;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  e2e(`trace: ${signal} detaches every probe, and the exit code is 0 within 3 s`, {
    needs: ["bpf", "bpftool"],
  }, async () => {
    await using tracer = await startSpandrel(["trace", "--json"], {
      whenTracing: true,
      stopMs: 3_000,
    });
    assert.ok(await probes() > 3, "probes are attached");
    Deno.kill(tracer.pid, signal);
    if (signal === "SIGINT") Deno.kill(tracer.pid, signal); // as a task runner hands it on
    const startMs = performance.now();
    assert.equal((await tracer.exited).code, 0);
    assert.ok(performance.now() - startMs < 3_000);
    // The kernel frees them a moment after their last owner has gone.
    await until("no probe attached", async () => await probes() === 0);
  });
}

e2e("trace --json: a reader that goes away ends it quietly", {
  needs: ["bpf", "nginx", "curl"],
}, async () => {
  await using nginx = await startNginx();
  const line = commandLine(["trace", "--json", "--port", `${nginx.port}`]);
  const script = `"$@" | head -n 1; echo "codes \${PIPESTATUS[*]}"`;
  await using shell = await startChild("bash", {
    args: ["-c", script, "bash", ...line],
    ready: (child) => child.stderr().includes("Tracing "),
  });
  const ask = `while :; do curl -s -o /dev/null ${nginx.url}; sleep 0.1; done`;
  await using _customer = await startChild("sh", { args: ["-c", ask], stopSignal: "SIGKILL" });
  const { code } = await shell.exited;
  assert.equal(code, 0);
  assert.match(shell.stdout(), /^\{"span_id":.*\}\ncodes 0 0\n$/);
  assert.equal(shell.stderr().trim().split("\n").length, 1, shell.stderr());
});
