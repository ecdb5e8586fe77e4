// SPDX-License-Identifier: Apache-2.0
// What stands between programs: nginx and PHP-FPM, HAProxy with HTTP/2 towards the server, NATS.

import { startChild } from "../../support/child.ts";
import { isListening } from "../../support/ports.ts";
import { startRedis } from "../../support/servers/redis.ts";
import { startNginx } from "../../support/servers/nginx.ts";
import { behindHaproxy, type Start } from "./start_program.ts";

export const behindHaproxyHttp2 = (inner: Start): Start => behindHaproxy(inner, "proto h2");

/** nginx sends a path of its own with a new token, and logs both. */
export const behindNginxPhp: Start = async (where) => {
  await using starting = new AsyncDisposableStack();
  const { ends, folder } = where;
  const settings = `${folder}/fpm.conf`;
  await Deno.writeTextFile(settings, fpmSettings(where.innerPort));
  starting.use(
    await startChild(phpFpm(), {
      args: ["--nodaemonize", "--allow-to-run-as-root", "--fpm-config", settings],
      ready: () => isListening(where.innerPort),
    }),
  );
  const page = new URL("../programs/shop.php", import.meta.url).pathname;
  starting.use(
    await startNginx({
      port: where.port,
      http: `log_format tokens "$token $request_id";`,
      server: `access_log ${where.log} tokens;
    location ~ "^/(?<plan>[^/]+)/(?<token>[0-9a-f]+)$" {
      fastcgi_pass 127.0.0.1:${where.innerPort};
      fastcgi_param SCRIPT_FILENAME ${page};
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param REQUEST_URI /$plan/$request_id;
      fastcgi_param REDIS_PORT ${ends.redis};
      fastcgi_param LEAF_PORT ${ends.leaf};
      fastcgi_param LOG ${where.log}.php;
    }`,
    }),
  );
  return starting.move();
};

type Page = (env: Readonly<Record<string, string>>) => Start;

export const overNats = (page: Page): Start =>
  overBroker(page, (port) =>
    startChild("nats-server", {
      args: ["--addr", "127.0.0.1", "--port", `${port}`],
      ready: () => isListening(port),
    }));

export const overRedis = (page: Page): Start => overBroker(page, (port) => startRedis({ port }));

/** A broker on the second port: the next service of the consumer and of the producer. */
const overBroker =
  (page: Page, start: (port: number) => Promise<AsyncDisposable>): Start => async (where) => {
    await using starting = new AsyncDisposableStack();
    const { innerPort, deepPort } = where;
    starting.use(await start(innerPort));
    const consumer = page({ ROLE: "consumer" });
    starting.use(await consumer({ ...where, port: deepPort, nextPort: innerPort }));
    starting.use(await page({})({ ...where, nextPort: innerPort }));
    return starting.move();
  };

const fpmSettings = (port: number): string =>
  `[global]
error_log = /dev/stderr
[shop]
user = root
group = root
listen = 127.0.0.1:${port}
listen.backlog = 511
pm = static
pm.max_children = 16
`;

/** Debian names it after its version. */
function phpFpm(): string {
  const names = [...Deno.readDirSync("/usr/sbin")].map(({ name }) => name);
  return names.find((name) => name.startsWith("php-fpm")) ?? "php-fpm";
}
