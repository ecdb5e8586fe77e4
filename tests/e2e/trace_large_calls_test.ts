// SPDX-License-Identifier: Apache-2.0
// gRPC and HTTP/2 with bodies far larger than one record: every call is paired, and its status
// comes from trailers behind the body.

import assert from "node:assert/strict";
import { runToEnd } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { startNodeServer } from "../support/servers/script_server.ts";
import { type SpanLine, spansIn, startSpandrel } from "../support/spandrel.ts";
import { installPackages } from "../tshark/record_traffic.ts";

const BODY_BYTES = 200_000;
const CALLS = 40;

/** What both ends of gRPC share: serialized messages are passed through as they are. */
const GRPC = `
import { createRequire } from "node:module";
const grpc = createRequire(process.env.MODULES + "/")("@grpc/grpc-js");
const same = (value) => value;
const method = (name) => ({
  path: "/shop.Orders/" + name, requestStream: false, responseStream: false,
  requestSerialize: same, requestDeserialize: same, responseSerialize: same,
  responseDeserialize: same,
});
const service = { Echo: method("Echo"), Fail: method("Fail") };
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
`;

const GRPC_SERVER = `${GRPC}
const server = new grpc.Server();
server.addService(service, {
  Echo: (call, done) => done(null, call.request),
  Fail: (_call, done) => done({ code: grpc.status.NOT_FOUND, details: "no such order" }),
});
const insecure = grpc.ServerCredentials.createInsecure();
server.bindAsync("127.0.0.1:" + process.env.PORT, insecure, () => {});
`;

const GRPC_CLIENT = `${GRPC}
const Client = grpc.makeGenericClientConstructor(service, "Orders");
const client = new Client("127.0.0.1:" + process.env.PORT, grpc.credentials.createInsecure());
const call = (name, body) => new Promise((resolve) => client[name](body, resolve));
await call("Echo", Buffer.from("small"));
await new Promise((resolve) => setTimeout(resolve, 200));
const body = Buffer.alloc(${BODY_BYTES}, "x");
for (let i = 0; i < ${CALLS}; i++) {
  await call(i % 4 === 3 ? "Fail" : "Echo", body);
  await pause();
}
client.close();
`;

const HTTP2_SERVER = `
import http2 from "node:http2";
http2.createServer().on("stream", (stream, headers) => {
  const missing = headers[":path"].startsWith("/missing");
  stream.respond({ ":status": missing ? 404 : 200 });
  stream.resume().on("end", () => stream.end(Buffer.alloc(${BODY_BYTES}, "y")));
}).listen(process.env.PORT, "127.0.0.1");
`;

const HTTP2_CLIENT = `
import http2 from "node:http2";
const session = http2.connect("http://127.0.0.1:" + process.env.PORT);
const ask = (path, body) => new Promise((resolve) => {
  const stream = session.request({ ":method": "POST", ":path": path });
  stream.resume().on("end", resolve).end(body);
});
await ask("/small", "small");
await new Promise((resolve) => setTimeout(resolve, 200));
const body = Buffer.alloc(${BODY_BYTES}, "x");
for (let i = 0; i < ${CALLS / 4}; i++) {
  const paths = ["/a", "/b", "/c", "/missing"].map((path) => path + "/" + i + "/x");
  await Promise.all(paths.map((path) => ask(path, body)));
}
session.close();
`;

interface Program {
  readonly server: string;
  readonly client: string;
  readonly modules: string;
}

/** The spans of the program's large calls, by kind. */
async function traced(program: Program): Promise<Map<unknown, SpanLine[]>> {
  const env = { MODULES: program.modules };
  await using server = await startNodeServer({ source: program.server, env });
  await using tracer = await startSpandrel(["trace", "--json", "--port", `${server.port}`], {
    whenTracing: true,
  });
  await runToEnd("node", {
    args: ["--input-type=module", "--eval", program.client],
    env: { ...env, PORT: `${server.port}` },
  });
  const { code } = await tracer.stop();
  assert.equal(code, 0, tracer.stderr());
  const large = spansIn(tracer.stdout()).filter((span) => Number(span.bytes_request) > BODY_BYTES);
  return Map.groupBy(large, ({ kind }) => kind);
}

const tally = (spans: readonly SpanLine[], ...fields: string[]) => {
  const counts: Record<string, number> = {};
  for (const span of spans) {
    const key = fields.map((field) => span[field]).join(" ");
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};

e2e("large calls: gRPC with 200 KB in both directions", {
  needs: ["bpf", "node", "npm"],
}, async () => {
  const modules = await installPackages(["@grpc/grpc-js@1"]);
  const spans = await traced({ server: GRPC_SERVER, client: GRPC_CLIENT, modules });
  for (const kind of ["client", "server"]) {
    const its = spans.get(kind) ?? [];
    assert.deepEqual(tally(its, "endpoint", "response_code", "status"), {
      "shop.Orders/Echo 0 ok": CALLS * 3 / 4,
      "shop.Orders/Fail 5 client_error": CALLS / 4,
    }, kind);
    const echoes = its.filter(({ endpoint }) => endpoint === "shop.Orders/Echo");
    assert.ok(echoes.every((span) => Number(span.bytes_response) > BODY_BYTES), kind);
  }
});

e2e("large calls: HTTP/2 with four bodies of 200 KB at a time", {
  needs: ["bpf", "node"],
}, async () => {
  const spans = await traced({ server: HTTP2_SERVER, client: HTTP2_CLIENT, modules: "" });
  for (const kind of ["client", "server"]) {
    const its = spans.get(kind) ?? [];
    const ways = its.map((span) => ({ ...span, way: String(span.resource).split("/")[1] }));
    assert.deepEqual(tally(ways, "way", "response_code", "status"), {
      "a 200 ok": CALLS / 4,
      "b 200 ok": CALLS / 4,
      "c 200 ok": CALLS / 4,
      "missing 404 client_error": CALLS / 4,
    }, kind);
    assert.ok(its.every((span) => Number(span.bytes_response) > BODY_BYTES), kind);
    assert.equal(new Set(its.map(({ resource }) => resource)).size, CALLS, kind);
  }
});
