// SPDX-License-Identifier: Apache-2.0
// Requests between network namespaces, through a router that translates both addresses: the two
// ends of each are joined exactly once, by sequence numbers and time.

import assert from "node:assert/strict";
import { runToEnd, startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { connectNetns, createNetns, type Netns } from "../support/netns.ts";
import { type SpanLine, spansWhen, startSpandrel } from "../support/spandrel.ts";

const SERVER = `
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("0.0.0.0", 7001), Handler)
print("ready", flush=True)
server.serve_forever()
`;

/** Clients that ask for the same page at the same time, on connections that are kept. */
const CLIENTS = `
import http.client, sys, threading

def ask():
    connection = http.client.HTTPConnection(sys.argv[1], 8080)
    for _ in range(5):
        connection.request("GET", "/page")
        connection.getresponse().read()

threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
`;

const REQUESTS = 40;

/** A client's namespace, a router's and a server's; the address that clients know the server by. */
async function startNetwork() {
  const stack = new AsyncDisposableStack();
  const make = async () => stack.use(await createNetns());
  const [client, router, server] = [await make(), await make(), await make()];
  const near = await connectNetns(client, router);
  const far = await connectNetns(router, server);
  await router.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
  const rules = `table ip nat {
    chain before { type nat hook prerouting priority -100;
      ip daddr ${near.b} tcp dport 8080 dnat to ${far.b}:7001
    }
    chain after { type nat hook postrouting priority 100;
      ip daddr ${far.b} masquerade
    }
  }`;
  await router.run("nft", rules);
  const child = stack.use(
    await startChild("python3", {
      args: ["-u", "-c", SERVER],
      netns: server.name,
      ready: (child) => child.stdout().includes("ready"),
    }),
  );
  return {
    client: client as Netns,
    serverPid: child.pid,
    /** Where clients connect to, and where the server is. */
    known: near.b,
    real: far.b,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

e2e("trace: client and server in namespaces of their own, behind DNAT and SNAT, are joined", {
  needs: ["bpf", "nat", "python"],
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-nat-" });
  const path = `${folder}/spans.ndjson`;
  try {
    await using network = await startNetwork();
    await using tracer = await startSpandrel(["trace", "--json", "--output", path], {
      whenTracing: true,
    });
    const args = ["-c", CLIENTS, network.known];
    await runToEnd("python3", { args, netns: network.client.name });
    const isOurs = ({ resource, protocol }: SpanLine) =>
      resource === "/page" && protocol === "http";
    const spans = (await spansWhen(path, (all) => {
      const ours = all.filter(isOurs);
      return ours.length === 2 * REQUESTS &&
        ours.filter(({ parent_span_id: id }) => id !== undefined).length === REQUESTS;
    })).filter(isOurs);
    assert.equal((await tracer.stop()).code, 0);
    checkHops(spans, network);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function checkHops(
  spans: readonly SpanLine[],
  { serverPid, known, real }: { serverPid: number; known: string; real: string },
): void {
  const servers = spans.filter(({ pid }) => pid === serverPid);
  const clients = new Map(
    spans.filter(({ pid }) => pid !== serverPid).map((span) => [span.span_id, span]),
  );
  assert.deepEqual([servers.length, clients.size], [REQUESTS, REQUESTS]);
  const parents = new Set(servers.map(({ parent_span_id }) => parent_span_id));
  assert.equal(parents.size, REQUESTS, "each client's span is the parent of one server's span");
  for (const server of servers) {
    const client = clients.get(server.parent_span_id ?? "");
    assert.ok(client !== undefined, "the parent is a span of a client");
    assert.equal(server["link_evidence"], "hop");
    assert.equal(server["link_confidence"], 1);
    assert.equal(client["request_seq"], server["request_seq"]);
    assert.notEqual(client["netns"], server["netns"]);
    assert.equal(client["peer"], `${known}:8080`);
    assert.equal(server["local"], `${real}:7001`);
    assert.notEqual(client["local"], server["peer"], "the client's address was translated");
  }
}
