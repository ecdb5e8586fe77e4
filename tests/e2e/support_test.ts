// SPDX-License-Identifier: Apache-2.0
// The tools of the end-to-end tests, with the real programs: every server answers its own client,
// stops by its process id, and leaves nothing behind.

import assert from "node:assert/strict";
import { type Child, runToEnd, startChild } from "../support/child.ts";
import { e2e } from "../support/e2e.ts";
import { connectNetns, createNetns } from "../support/netns.ts";
import { freePort, isListening } from "../support/ports.ts";
import { startDnsmasq } from "../support/servers/dnsmasq.ts";
import { startMariadb } from "../support/servers/mariadb.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { startRedis } from "../support/servers/redis.ts";
import { startNodeServer, startPythonServer } from "../support/servers/script_server.ts";
import { openTerminal } from "../support/tmux.ts";

async function assertStops(child: Child): Promise<void> {
  await child.stop();
  const alive = await new Deno.Command("kill", { args: ["-0", `${child.pid}`], stderr: "null" })
    .output();
  assert.equal(alive.success, false, `process ${child.pid} is gone`);
}

e2e("support: nginx answers curl in a namespace of its own", {
  needs: ["nginx", "curl", "netns"],
}, async () => {
  await using netns = await createNetns();
  await using nginx = await startNginx({ netns: netns.name, port: 80 });
  assert.equal(await netns.run("curl", "-sS", nginx.url), "hello\n");
  assert.equal(await isListening(80), false, "nobody outside the namespace sees the port");
  await assertStops(nginx);
});

e2e("support: redis answers PING", { needs: ["redis"] }, async () => {
  await using redis = await startRedis();
  assert.equal(await runToEnd("redis-cli", { args: ["-p", `${redis.port}`, "PING"] }), "PONG\n");
  await assertStops(redis);
});

e2e("support: PostgreSQL answers a query", { needs: ["postgres"] }, async () => {
  await using postgres = await startPostgres();
  const { port, user } = postgres;
  const args = ["-h", "127.0.0.1", "-p", `${port}`, "-U", user, "-Atc", "SELECT 6 * 7"];
  assert.equal(await runToEnd("psql", { args }), "42\n");
  await assertStops(postgres);
});

e2e("support: MariaDB answers a query", { needs: ["mariadb"] }, async () => {
  await using mariadb = await startMariadb();
  const { port, user } = mariadb;
  const where = ["--no-defaults", "-h", "127.0.0.1", "-P", `${port}`, "-u", user];
  const answer = await runToEnd("mariadb", { args: [...where, "-N", "-e", "SELECT 6 * 7"] });
  assert.equal(answer, "42\n");
  await assertStops(mariadb);
});

e2e("support: dnsmasq answers its names and no others", {
  needs: ["dnsmasq", "python", "netns"],
}, async () => {
  await using netns = await createNetns();
  const addresses = { "cart.test": "127.0.0.9" };
  await using dnsmasq = await startDnsmasq({ addresses, netns: netns.name, port: 53 });
  const ask = (name: string) => netns.run("/usr/bin/python3", "-c", dnsQuery, name);
  assert.equal(await ask("cart.test"), "code 0 answers 1\n");
  assert.equal(await ask("elsewhere.test"), "code 3 answers 0\n");
  await assertStops(dnsmasq);
});

const dnsQuery = `
import socket, struct, sys
name = b"".join(bytes([len(p)]) + p.encode() for p in sys.argv[1].split(".")) + b"\\0"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
question = name + struct.pack("!HH", 1, 1)
s.sendto(struct.pack("!HHHHHH", 7, 256, 1, 0, 0, 0) + question, ("127.0.0.1", 53))
_, flags, _, answers, _, _ = struct.unpack("!HHHHHH", s.recv(512)[:12])
print("code", flags & 15, "answers", answers)
`;

e2e("support: services in Node and Python answer", { needs: ["node", "python"] }, async () => {
  await using node = await startNodeServer({
    source: `import { createServer } from "node:http";
      createServer((_, answer) => answer.end("node " + process.env.WORD))
        .listen(process.env.PORT, "127.0.0.1");`,
    env: { WORD: "hi" },
  });
  await using python = await startPythonServer({
    source: `import http.server, os
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"python")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hello).serve_forever()`,
  });
  assert.equal(await (await fetch(node.url)).text(), "node hi");
  assert.equal(await (await fetch(python.url)).text(), "python");
  await assertStops(node);
  await assertStops(python);
});

e2e("support: a cable joins two namespaces", { needs: ["netns", "curl", "python"] }, async () => {
  await using here = await createNetns();
  await using there = await createNetns();
  const addresses = await connectNetns(here, there);
  await using _server = await startPythonServer({
    source: `import socket
s = socket.create_server(("0.0.0.0", 80))
while True:
    c, _ = s.accept(); c.recv(999); c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nfar"); c.close()`,
    port: 80,
    netns: there.name,
  });
  assert.equal(await here.run("curl", "-sS", `http://${addresses.b}/`), "far");
});

e2e("support: a program that cannot start says why, and a stubborn one is killed", {
  needs: ["python"],
}, async () => {
  const args = ["-c", "import sys; sys.exit('no such shop')"];
  await assert.rejects(
    startChild("python3", { args, ready: () => false }),
    /Cannot start python3: it ended with code 1:\nno such shop/,
  );
  const port = freePort();
  const source = `import signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.create_server(("127.0.0.1", ${port}))
while True: time.sleep(60)`;
  await using stubborn = await startChild("/usr/bin/python3", {
    args: ["-c", source],
    ready: () => isListening(port),
    stopMs: 200,
  });
  assert.equal((await stubborn.stop()).signal, "SIGKILL");
});

e2e(
  "support: a terminal shows a program's screen and takes keys",
  { needs: ["tmux"] },
  async () => {
    const script = `printf 'size %s\\n' "$(stty size)"; read -r word; echo "got $word"; exit 3`;
    await using terminal = await openTerminal(["sh", "-c", script], { columns: 90, rows: 20 });
    await terminal.screenWith(/^size 20 90$/m);
    await terminal.press("plum;", "Enter");
    assert.match(await terminal.screenWith(/got/), /^got plum;$/m);
    assert.equal(await terminal.ended(), 3);
  },
);
