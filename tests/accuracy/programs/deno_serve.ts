// SPDX-License-Identifier: Apache-2.0
// Deno.serve, with fetch for HTTP and a pool of connections to Redis. Calls between the same dots
// of a plan run at the same time: /r.hr/TOKEN.

const [port, redisPort, leafPort] = ["PORT", "REDIS_PORT", "LEAF_PORT"]
  .map((name) => Number(Deno.env.get(name)));
const connectionsMax = Number(Deno.env.get("POOL") ?? 16);
const log = Deno.openSync(Deno.env.get("LOG") ?? "", { append: true, create: true });

const idle: Deno.TcpConn[] = [];
const waiting: ((connection: Deno.TcpConn) => void)[] = [];
let opened = 0;

async function take(): Promise<Deno.TcpConn> {
  const connection = idle.pop();
  if (connection !== undefined) return connection;
  if (opened >= connectionsMax) return await new Promise((resolve) => waiting.push(resolve));
  opened++;
  const fresh = await Deno.connect({ hostname: "127.0.0.1", port: redisPort ?? 0 });
  fresh.setNoDelay();
  return fresh;
}

function give(connection: Deno.TcpConn): void {
  const next = waiting.shift();
  if (next === undefined) idle.push(connection);
  else next(connection);
}

async function askRedis(token: string): Promise<void> {
  const connection = await take();
  const text = `*2\r\n$3\r\nGET\r\n$${token.length}\r\n${token}\r\n`;
  await connection.write(new TextEncoder().encode(text));
  await connection.read(new Uint8Array(256));
  give(connection);
}

async function askHttp(token: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${leafPort}/leaf/${token}`);
  await response.text();
}

function newToken(): string {
  return crypto.getRandomValues(new Uint8Array(6)).toHex();
}

Deno.serve({ port: port ?? 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
  const [, plan = "", token = ""] = new URL(request.url).pathname.split("/");
  const groups = plan.split(".").map((group) =>
    [...group].filter((letter) => letter !== "-").map((letter) => ({ letter, token: newToken() }))
  );
  const line = [token, ...groups.flat().map(({ token }) => token)].join(" ");
  log.writeSync(new TextEncoder().encode(`${line}\n`));
  for (const group of groups) {
    await Promise.all(
      group.map(({ letter, token }) => letter === "r" ? askRedis(token) : askHttp(token)),
    );
  }
  return new Response("ok", { headers: { "content-length": "2" } });
});
