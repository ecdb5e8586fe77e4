// SPDX-License-Identifier: Apache-2.0
// The demo shop: nginx, a Node service, a Python service, Redis, PostgreSQL and dnsmasq, each an
// ordinary server with an ordinary configuration, on free ports of loopback.

import { nginxConfiguration } from "./nginx_configuration.ts";
import type { Programs } from "./programs.ts";
import { asUser, runProgram, type ServerOptions, startServer } from "./server_process.ts";

export interface Shop extends AsyncDisposable {
  readonly url: string;
  /** Process ids of the servers that were started; they may have children. */
  readonly pids: readonly number[];
}

const HOST = "127.0.0.1";
/** PostgreSQL refuses to be root; its package makes this user. */
const POSTGRES_USER = "postgres";

/** Starts the shop in a temporary folder. Disposing stops every server and removes the folder. */
export async function startShop(programs: Programs): Promise<Shop> {
  const started: AsyncDisposable[] = [];
  const stop = async () => {
    for (const resource of started.reverse()) await resource[Symbol.asyncDispose]();
  };
  try {
    const folder = await Deno.makeTempDir({ prefix: "spandrel-demo-" });
    started.push({
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }).catch(() => {}),
    });
    await Deno.chmod(folder, 0o755);
    const ports = freePorts();
    const servers = await startAll(programs, folder, ports, (server) => started.push(server));
    return {
      url: `http://${HOST}:${ports.nginx}`,
      pids: servers.map(({ pid }) => pid),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Ports = ReturnType<typeof freePorts>;

async function startAll(
  programs: Programs,
  folder: string,
  ports: Ports,
  started: (server: AsyncDisposable) => void,
) {
  const start = async (
    name: string,
    program: string,
    args: readonly string[],
    more: Partial<ServerOptions> = {},
  ) => {
    const port = ports[name as keyof Ports];
    const server = await startServer(name, {
      program,
      args,
      folder,
      setpriv: programs.setpriv,
      isReady: () => accepts(port),
      ...more,
    });
    started(server);
    return server;
  };
  const sources = new URL("./shop/", import.meta.url).pathname;
  const portsAsEnv = {
    REDIS_PORT: `${ports.redis}`,
    POSTGRES_PORT: `${ports.postgres}`,
    DNS_PORT: `${ports.dnsmasq}`,
  };
  await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfiguration(folder, ports));
  const redis = ["--port", `${ports.redis}`, "--bind", HOST, "--save", "", "--appendonly", "no"];
  const backends = await Promise.all([
    startPostgres(programs, folder, ports.postgres, start),
    start("redis", programs["redis-server"], redis),
    start("dnsmasq", programs.dnsmasq, dnsmasqArguments(ports), {
      isReady: () => accepts(ports.dnsmasq),
    }),
  ]);
  const stock = await start("stock", programs.python3, [`${sources}stock.py`], {
    env: { PORT: `${ports.stock}`, ...portsAsEnv },
  });
  const orders = await start("orders", programs.node, [`${sources}orders.mjs`], {
    env: { PORT: `${ports.orders}`, ...portsAsEnv },
  });
  const nginx = await start("nginx", programs.nginx, [
    ...["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"],
  ]);
  return [...backends, stock, orders, nginx];
}

type Start = (
  name: string,
  program: string,
  args: readonly string[],
  more?: Partial<ServerOptions>,
) => ReturnType<typeof startServer>;

async function startPostgres(programs: Programs, folder: string, port: number, start: Start) {
  const home = `${folder}/postgres`;
  await Deno.mkdir(home);
  if (Deno.uid() === 0) await runProgram("/bin/chown", [POSTGRES_USER, home], folder);
  const data = ["-D", `${home}/data`];
  const bin = programs.postgres.slice(0, programs.postgres.lastIndexOf("/"));
  const create = ["-U", POSTGRES_USER, "--auth=trust", "--no-sync", "--locale=C"];
  const as = asUser(programs.setpriv, POSTGRES_USER);
  const run = (program: string, args: readonly string[]) => {
    const [first = program, ...rest] = [...as, `${bin}/${program}`, ...args];
    return runProgram(first, rest, home);
  };
  await run("initdb", [...data, "--encoding=UTF8", ...create]);
  const settings = [`unix_socket_directories=${home}`, "fsync=off", "jit=off", "autovacuum=off"];
  const server = await start(
    "postgres",
    programs.postgres,
    [...data, "-h", HOST, "-p", `${port}`, ...settings.flatMap((setting) => ["-c", setting])],
    { user: POSTGRES_USER, stopSignal: "SIGINT" },
  );
  const schema = new URL("./shop/stock.sql", import.meta.url).pathname;
  const where = ["-h", HOST, "-p", `${port}`, "-U", POSTGRES_USER, "-d", "postgres"];
  const sql = await Deno.readTextFile(schema);
  await run("psql", [...where, "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]);
  return server;
}

/** Answers for the domain of the shop only, and asks no other server. */
function dnsmasqArguments(ports: Ports): string[] {
  return [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--pid-file",
    `--listen-address=${HOST}`,
    "--bind-interfaces",
    `--port=${ports.dnsmasq}`,
    ...(Deno.uid() === 0 ? ["--user=root"] : []),
    "--local=/#/",
    "--log-facility=-",
    `--host-record=stock.shop.test,${HOST}`,
    `--srv-host=_stock._tcp.shop.test,stock.shop.test,${ports.stock}`,
  ];
}

/** Ports that are free now; another program may still be faster. */
function freePorts() {
  const names = ["nginx", "orders", "stock", "redis", "postgres", "dnsmasq"] as const;
  const listeners = names.map(() => Deno.listen({ hostname: HOST, port: 0 }));
  const [nginx = 0, orders = 0, stock = 0, redis = 0, postgres = 0, dnsmasq = 0] = listeners
    .map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return { nginx, orders, stock, redis, postgres, dnsmasq };
}

async function accepts(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: HOST, port });
    return connection.remoteAddr.transport === "tcp";
  } catch {
    return false;
  }
}
