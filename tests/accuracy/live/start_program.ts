// SPDX-License-Identifier: Apache-2.0
// Ways to start a program of the suite: by an interpreter, compiled first, or behind a proxy.

import { runToEnd, startChild } from "../../support/child.ts";
import { isListening } from "../../support/ports.ts";
import { startNginx } from "../../support/servers/nginx.ts";

/** Ports of the ends that a program may call. */
export interface Ends {
  readonly redis: number;
  readonly leaf: number;
  readonly postgres: number;
  readonly dns: number;
}

/** What a program is told. */
export interface Where {
  readonly port: number;
  /** A second port, for what stands behind a proxy. */
  readonly innerPort: number;
  /** Where the next service listens, for those that call one. */
  readonly nextPort?: number;
  /** A third one, for what stands behind that. */
  readonly deepPort: number;
  readonly ends: Ends;
  /**
   * The file to append lines of tokens to: what came in, then what went out for it. Who must have
   * a file of its own adds to the name.
   */
  readonly log: string;
  /** For files of the program. */
  readonly folder: string;
}

export type Start = (where: Where) => Promise<AsyncDisposable>;

type Env = Readonly<Record<string, string>>;

// Debian's own, not a version manager's shell script in front of it.
export const python = (file: string, env: Env = {}): Start => script("/usr/bin/python3", file, env);

export const node = (file: string, env: Env = {}): Start => script("node", file, env);

/** Compiles the one file and runs it. */
export const java = (file: string, env: Env): Start => script("java", file, env);

export const deno = (file: string): Start => (where) =>
  run("deno", [
    ...["run", "--quiet", "--no-prompt", "--no-lock"],
    ...["--allow-net=127.0.0.1", "--allow-env", `--allow-write=${where.log}`, pathOf(file)],
  ], where);

/** Packages beside Go's own are Debian's, such as golang-golang-x-net-dev. */
export const go = (file: string, env: Env = {}): Start => async (where) => {
  const program = `${where.folder}/program_${where.port}`;
  await runToEnd("go", {
    args: ["build", "-o", program, pathOf(file)],
    env: { GO111MODULE: "off", GOPATH: "/usr/share/gocode" },
  });
  return await run(program, [], where, env);
};

/** Node with packages of npm, which stay on this machine for the next run. */
export const nodeWith = (packages: readonly string[], file: string): Start => async (where) => {
  const folder = `${Deno.env.get("TMPDIR") ?? "/tmp"}/spandrel-accuracy-modules`;
  await Deno.mkdir(folder, { recursive: true });
  const options = ["--prefix", folder, "--no-audit", "--no-fund", "--prefer-offline", "--silent"];
  await runToEnd("npm", { args: ["install", ...options, ...packages] });
  return await script("node", file, { MODULES: folder })(where);
};

/** nginx in front, which sends a path of its own with a new token, and logs both. */
export const behindNginx = (inner: Start): Start => (where) =>
  together(where, inner, () =>
    startNginx({
      port: where.port,
      http: `log_format tokens "$token $request_id";
  upstream inner { server 127.0.0.1:${where.innerPort}; keepalive 64; }`,
      server: `access_log ${where.log} tokens;
    location ~ "^/([^/]+)/(?<token>[0-9a-f]+)$" {
      proxy_pass http://inner/$1/$request_id;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }`,
    }));

/** HAProxy likewise; it shares its connections to the server between clients. */
export const behindHaproxy = (inner: Start, serverWords = ""): Start => (where) =>
  together(where, inner, async () => {
    const file = `${where.folder}/haproxy.cfg`;
    await Deno.writeTextFile(
      file,
      `global
  log stdout format raw local0
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend outer
  bind 127.0.0.1:${where.port}
  log global
  http-request set-var(txn.read) path,field(3,/)
  http-request set-var(txn.sent) uuid(),regsub(-,,g)
  http-request set-path /%[path,field(2,/)]/%[var(txn.sent)]
  log-format "%[var(txn.read)] %[var(txn.sent)]"
  default_backend inner
backend inner
  http-reuse always
  server inner 127.0.0.1:${where.innerPort} ${serverWords}
`,
    );
    return await startChild("sh", {
      args: ["-c", 'exec haproxy -db -f "$0" >"$1"', file, `${where.log}.proxy`],
      ready: () => isListening(where.port),
    });
  });

/** The outer program, whose next service is the inner one, on the second port. */
export const calling = (inner: Start, outer: Start): Start => (where) =>
  together(where, inner, () => outer({ ...where, nextPort: where.innerPort }));

async function together(where: Where, inner: Start, outer: () => Promise<AsyncDisposable>) {
  await using starting = new AsyncDisposableStack();
  starting.use(await inner({ ...where, port: where.innerPort, innerPort: where.deepPort }));
  starting.use(await outer());
  return starting.move();
}

const script = (program: string, file: string, env: Env): Start => (where) =>
  run(program, [pathOf(file)], where, env);

const pathOf = (file: string): string => new URL(`../programs/${file}`, import.meta.url).pathname;

function run(program: string, args: readonly string[], where: Where, env: Env = {}) {
  const { port, nextPort = 0, ends, log } = where;
  return startChild(program, {
    args,
    env: {
      PYTHONDONTWRITEBYTECODE: "1",
      PORT: `${port}`,
      REDIS_PORT: `${ends.redis}`,
      LEAF_PORT: `${ends.leaf}`,
      POSTGRES_PORT: `${ends.postgres}`,
      DNS_PORT: `${ends.dns}`,
      NEXT_PORT: `${nextPort}`,
      LOG: log,
      ...env,
    },
    ready: () => isListening(port),
  });
}
