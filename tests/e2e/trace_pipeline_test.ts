// SPDX-License-Identifier: Apache-2.0
// Custom pipelines on live traffic, plain lines, and spans from packets alone.

import assert from "node:assert/strict";
import { runToEnd, startChild } from "../support/child.ts";
import { until } from "../support/deadline.ts";
import { e2e } from "../support/e2e.ts";
import { createNetns } from "../support/netns.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { runSpandrel, spansIn, startSpandrel } from "../support/spandrel.ts";

const server = `location / { return 200 "hello"; } location /bad { return 503; }`;

e2e("trace --pipeline: an example makes its lines of live traffic", {
  needs: ["bpf", "nginx", "curl"],
}, async () => {
  await using nginx = await startNginx({ server });
  const file = new URL("../../examples/failed_requests.ts", import.meta.url).pathname;
  const words = ["trace", "--pipeline", file, "--port", `${nginx.port}`];
  await using tracer = await startSpandrel(words, { whenTracing: true });
  for (const path of ["/good", "/bad"]) {
    await runToEnd("curl", { args: ["-sS", "-o", "/dev/null", nginx.url + path] });
  }
  const rows = () =>
    tracer.stdout().trim().split("\n").filter(Boolean).map((row) => JSON.parse(row));
  await until("the rows of both ends", () => rows().length === 2);
  for (const row of rows()) {
    assert.equal(row.resource, "/bad");
    assert.equal(row.response_code, 503);
    assert.match(row.span_id, /^[0-9a-f]{16}$/);
  }
  assert.equal((await tracer.stop()).code, 0);
});

e2e("trace --pipeline: what is no pipeline is refused in one sentence", {
  needs: ["bpf"],
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-pipeline-" });
  try {
    const refused = async (source: string) => {
      await Deno.writeTextFile(`${folder}/p.ts`, source);
      const { code, stderr } = await runSpandrel(["trace", "--pipeline", `${folder}/p.ts`]);
      assert.equal(code, 2);
      return stderr.trim();
    };
    assert.match(await refused("export const a = 1;"), /has no default export that is a function/);
    assert.match(await refused("export default () => 1;"), /its function does not return a flow$/);
    await Deno.remove(`${folder}/p.ts`);
    const { code, stderr } = await runSpandrel(["trace", "--pipeline", `${folder}/p.ts`]);
    assert.match(stderr, /^Cannot load the pipeline .*: there is no such file\n$/);
    assert.equal(code, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

e2e("trace without a terminal: one aligned line per trace, and a closing count", {
  needs: ["bpf", "nginx", "curl"],
}, async () => {
  await using nginx = await startNginx({ server });
  const words = ["trace", "--port", `${nginx.port}`, "--show-graph"];
  await using tracer = await startSpandrel(words, { whenTracing: true });
  for (const path of ["/good?a=1", "/bad"]) {
    await runToEnd("curl", { args: ["-sS", "-o", "/dev/null", nginx.url + path] });
  }
  await until("both lines", () => tracer.stdout().trim().split("\n").length === 2);
  const [good = "", bad = ""] = tracer.stdout().split("\n");
  const time = String.raw`\d\d:\d\d:\d\d\.\d{3} +[\d.]+(?:µs|ms)`;
  assert.match(good, new RegExp(`^${time}  ok 200 +curl +GET /good\\?a=1 +2: curl 1, nginx 1$`));
  assert.match(bad, new RegExp(`^${time}  server_error 503 +curl +GET /bad +2: `));
  assert.equal(good.indexOf("2: curl"), bad.indexOf("2: curl"));
  assert.equal((await tracer.stop()).code, 0);
  assert.match(tracer.stderr(), /● session_window /);
  assert.match(tracer.stderr(), /^[\d,]+ events, nothing dropped\.$/m);
});

e2e("trace --pcap: spans of packets that another program captured", {
  needs: ["tshark", "nginx", "curl", "netns"],
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-pcap-" });
  try {
    const path = `${folder}/load.pcapng`;
    await using netns = await createNetns();
    await using _nginx = await startNginx({ netns: netns.name, port: 80, server });
    await using dumpcap = await startChild("dumpcap", {
      netns: netns.name,
      args: ["-i", "lo", "-q", "-w", path],
      ready: (child) => child.stderr().includes("File: "),
    });
    await netns.run("curl", "-sS", "-o", "/dev/null", "http://127.0.0.1/good");
    await netns.run("curl", "-sS", "-o", "/dev/null", "http://127.0.0.1/bad");
    const read = async () =>
      spansIn((await runSpandrel(["trace", "--json", "--pcap", path])).stdout);
    const spans = await until("both exchanges in the file", async () => {
      const spans = await read();
      return spans.length === 2 && spans;
    });
    await dumpcap.stop();
    assert.deepEqual(
      spans.map(({ resource, response_code, observer }) => [resource, response_code, observer]),
      [["/good", 200, "nic"], ["/bad", 503, "nic"]],
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
