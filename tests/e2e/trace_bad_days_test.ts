// SPDX-License-Identifier: Apache-2.0
// What goes wrong around a trace: processes that die in the middle of a request, answers that stay
// away or stop half-way, bodies of megabytes, output that cannot be written, two tracers at once.

import assert from "node:assert/strict";
import { runToEnd, startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { startNodeServer } from "../support/servers/script_server.ts";
import { commandLine, type SpanLine, spansWhen, startSpandrel } from "../support/spandrel.ts";

const SERVICE = `
import http from "node:http";
http.createServer((request, response) => {
  console.log("asked for " + request.url);
  if (request.url === "/never") return;
  if (request.url === "/die") return process.kill(process.pid, "SIGKILL");
  if (request.url === "/half") {
    response.writeHead(200, { "content-length": 1000 });
    return response.write("half");
  }
  let bytes = 0;
  request.on("data", (part) => bytes += part.length).on("end", () => response.end("" + bytes));
}).listen(process.env.PORT, "127.0.0.1");
`;

const isDone = (span: SpanLine) => span["status"] !== "unknown";

async function withFolder(fn: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-bad-days-" });
  try {
    await fn(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

e2e("trace: who dies or leaves in the middle of a request leaves spans that say reset", {
  needs: ["bpf", "node", "curl"],
}, () =>
  withFolder(async (folder) => {
    const path = `${folder}/spans`;
    await using node = await startNodeServer({ source: SERVICE });
    const words = ["trace", "--json", "--output", path, "--port", `${node.port}`];
    await using _tracer = await startSpandrel(words, { whenTracing: true });
    for (const [path, stopSignal] of [["/never", "SIGKILL"], ["/half", "SIGTERM"]] as const) {
      await using curl = await startChild("curl", { args: ["-sN", node.url + path], stopSignal });
      await until("the request", () => node.stdout().includes(`asked for ${path}`));
      if (path === "/half") await until("half an answer", () => curl.stdout() === "half");
      await curl.stop();
    }
    await using _last = await startChild("curl", { args: ["-s", `${node.url}/die`] });
    const spans = await spansWhen(path, (spans) => spans.filter(isDone).length === 6);
    const facts = ["process", "resource", "response_code", "status"];
    assert.deepEqual(spans.map((span) => facts.map((name) => span[name]).join(" ")).sort(), [
      "curl /die  reset",
      "curl /half 200 reset",
      "curl /never  reset",
      "node /die  reset",
      "node /half 200 reset",
      "node /never  reset",
    ]);
    const clients = spans.filter((span) => span["process"] === "curl");
    for (const span of spans.filter((span) => span["process"] === "node")) {
      const client = clients.find(({ span_id }) => span_id === span.parent_span_id);
      assert.equal(client?.["resource"], span["resource"]);
    }
  }));

e2e("trace: bodies of many megabytes count to the byte, sent by sendfile or uploaded", {
  needs: ["bpf", "nginx", "node", "curl"],
}, () =>
  withFolder(async (folder) => {
    const [path, body] = [`${folder}/spans`, `${folder}/body`];
    await Deno.chmod(folder, 0o755);
    await Deno.writeFile(body, new Uint8Array(20_000_000).fill(120));
    await using node = await startNodeServer({ source: SERVICE });
    await using nginx = await startNginx({
      server: `sendfile on; client_max_body_size 30m; location /body { root ${folder}; }
        location /up { proxy_pass ${node.url}; proxy_request_buffering off;
          proxy_http_version 1.1; }`,
    });
    const ports = `${nginx.port},${node.port}`;
    const words = ["trace", "--json", "--output", path, "--port", ports];
    await using _tracer = await startSpandrel(words, { whenTracing: true });
    const sizes = "%{size_request} %{size_upload} %{size_header} %{size_download}\n";
    const curl = async (...args: string[]) => {
      const line = ["-sS", "-o", "/dev/null", "-w", sizes, ...args];
      const [request = 0, up = 0, header = 0, down = 0] = (await runToEnd("curl", { args: line }))
        .split(" ").map(Number);
      return { bytes_request: request + up, bytes_response: header + down };
    };
    const download = await curl("--limit-rate", "100M", `${nginx.url}/body`);
    const upload = await curl("-H", "Expect:", "--data-binary", `@${body}`, `${nginx.url}/up`);
    assert.ok(download.bytes_response > 20_000_000 && upload.bytes_request > 20_000_000);
    const spans = await spansWhen(path, (spans) => spans.filter(isDone).length === 6);
    const between = (process: string, kind: string, resource: string) => {
      const found = spans.find((span) =>
        span["process"] === process && span["kind"] === kind &&
        String(span["resource"]).includes(resource)
      );
      return { bytes_request: found?.["bytes_request"], bytes_response: found?.["bytes_response"] };
    };
    assert.deepEqual(between("curl", "client", "/body"), download);
    assert.deepEqual(between("nginx", "server", "/body"), download);
    assert.deepEqual(between("curl", "client", "/up"), upload);
    assert.deepEqual(between("nginx", "server", "/up"), upload);
    assert.deepEqual(between("nginx", "client", "/up"), between("node", "server", "/up"));
  }));

e2e("trace --json: output that cannot be written is told at once, and the exit code is 2", {
  needs: ["bpf", "nginx", "curl"],
}, async () => {
  await using nginx = await startNginx();
  const line = commandLine(["trace", "--json", "--port", `${nginx.port}`]);
  await using tracer = await startChild("bash", {
    args: ["-c", 'exec "$@" > /dev/full', "bash", ...line],
    stopSignal: "SIGTERM",
    ready: (child) => child.stderr().includes("Tracing "),
  });
  await runToEnd("curl", { args: ["-s", "-o", "/dev/null", nginx.url] });
  const said = /^Cannot write everything to standard output: no space left on the device$/m;
  await until("the sentence", () => said.test(tracer.stderr()));
  assert.equal((await tracer.stop()).code, 2);
  assert.match(tracer.stderr(), /\d+ stage failed/);
});

e2e("trace: two tracers at once see the same, and neither the other", {
  needs: ["bpf", "nginx", "curl"],
}, () =>
  withFolder(async (folder) => {
    await using nginx = await startNginx();
    const [first, second] = [`${folder}/first`, `${folder}/second`];
    const words = (
      path: string,
    ) => ["trace", "--json", "--output", path, "--port", `${nginx.port}`];
    await using _one = await startSpandrel(words(first), { whenTracing: true });
    await using _two = await startSpandrel(words(second), { whenTracing: true });
    await runToEnd("curl", { args: ["-s", "-o", "/dev/null", nginx.url] });
    const isThere = (spans: readonly SpanLine[]) =>
      spans.length === 2 && spans.some(({ parent_span_id }) => Boolean(parent_span_id));
    // Each has a clock of its own.
    const facts = async (path: string) =>
      (await spansWhen(path, isThere)).map((span) =>
        Object.entries(span).filter(([column]) => !column.endsWith("_unix_ns"))
      );
    assert.deepEqual(await facts(first), await facts(second));
  }));
