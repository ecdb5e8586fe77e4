// SPDX-License-Identifier: Apache-2.0
// Servers that only the comparison with tshark starts: each on a port of loopback, stopped by its
// own process id, with its files in a folder of its own.

import { type Child, type ChildOptions, runToEnd, startChild } from "../support/child.ts";
import { isListening } from "../support/ports.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

export function startMemcached(port: number): Promise<Child> {
  const args = ["-l", "127.0.0.1", "-p", `${port}`, "-U", "0", "-u", "root"];
  return listening("memcached", port, { args });
}

export function startMosquitto(port: number): Promise<Child> {
  return inTemporaryFolder("mosquitto", async (folder) => {
    const settings = `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`;
    await Deno.writeTextFile(`${folder}/mosquitto.conf`, settings);
    return await listening("mosquitto", port, { args: ["-c", `${folder}/mosquitto.conf`] });
  });
}

export function startNats(port: number): Promise<Child> {
  return listening("nats-server", port, { args: ["-a", "127.0.0.1", "-p", `${port}`] });
}

/** Takes the two ports above its own for Erlang's. */
export function startRabbitmq(port: number): Promise<Child> {
  return inTemporaryFolder("rabbitmq", async (folder) => {
    await Deno.writeTextFile(`${folder}/plugins`, "[].\n");
    const env = {
      HOME: folder,
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_DIST_PORT: `${port + 1}`,
      ERL_EPMD_PORT: `${port + 2}`,
      ERL_EPMD_ADDRESS: "127.0.0.1",
      RABBITMQ_NODENAME: `spandrel-${port}@localhost`,
      RABBITMQ_MNESIA_BASE: folder,
      RABBITMQ_LOG_BASE: folder,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/plugins`,
      RABBITMQ_PID_FILE: `${folder}/pid`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1",
    };
    return await listening("/usr/lib/rabbitmq/bin/rabbitmq-server", port, {
      env,
      cwd: folder,
      stopMs: 20_000,
    });
  });
}

/** nginx with a certificate of its own. */
export function startTls(port: number): Promise<Child> {
  return inTemporaryFolder("tls", async (folder) => {
    const [key, certificate] = [`${folder}/key`, `${folder}/certificate`];
    const names = ["-subj", "/CN=shop.test", "-days", "30", "-nodes"];
    const files = ["-newkey", "rsa:2048", "-keyout", key, "-out", certificate];
    await runToEnd("openssl", { args: ["req", "-x509", ...files, ...names] });
    return await startNginx({
      port: port + 1,
      server: `listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / { return 200 "hello\n"; }`,
    });
  });
}

/** The mock cluster of librdkafka, in a kcat that waits for messages; it chooses its port. */
export async function startKafkaMock(): Promise<Child & { readonly chosenPort: number }> {
  const addressOf = (child: Child) => /replaced with 127\.0\.0\.1:(\d+)/.exec(child.stderr())?.[1];
  const settings = ["test.mock.num.brokers=1", "topic.metadata.refresh.interval.ms=3600000"];
  const child = await startChild("kcat", {
    args: ["-b", "mock", ...settings.flatMap((each) => ["-X", each]), "-C", "-t", "waiting"],
    ready: (child) => addressOf(child) !== undefined,
  });
  return { ...child, chosenPort: Number(addressOf(child)) };
}

/** nginx in front of PHP-FPM, which listens on the port below. */
export function startPhp(port: number): Promise<Child> {
  return inTemporaryFolder("php", async (folder) => {
    await Deno.writeTextFile(`${folder}/index.php`, SCRIPT);
    await Deno.writeTextFile(`${folder}/fpm.conf`, poolOf(folder, port - 1));
    const program = newestPhpFpm();
    const php = await listening(program, port - 1, {
      args: ["-R", "-F", "-y", `${folder}/fpm.conf`, "-n", "-d", "display_errors=0"],
    });
    const nginx = await startNginx({ port, server: fastcgiOf(folder, port - 1) });
    const stop = async () => {
      await nginx.stop();
      return await php.stop();
    };
    return { ...php, stop, [Symbol.asyncDispose]: async () => void await stop() };
  });
}

const SCRIPT = `<?php
$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
if ($path === "/missing") http_response_code(404);
if ($path === "/broken") { error_log("it broke"); http_response_code(500); }
if ($path === "/moved") { header("Location: /hello"); http_response_code(302); }
header("Content-Type: text/plain");
echo "you asked " . $path, $path === "/big" ? str_repeat("x", 20000) : "";
`;

function poolOf(folder: string, port: number): string {
  return `[global]
error_log = /dev/stderr
daemonize = no
[www]
user = root
group = root
listen = 127.0.0.1:${port}
pm = static
pm.max_children = 1
chdir = ${folder}
catch_workers_output = yes
`;
}

function fastcgiOf(folder: string, port: number): string {
  return `location / {
    fastcgi_pass 127.0.0.1:${port};
    fastcgi_param SCRIPT_FILENAME ${folder}/index.php;
    include /etc/nginx/fastcgi_params;
    fastcgi_param HTTP_HOST $http_host;
  }`;
}

export function newestPhpFpm(): string {
  const names = [...Deno.readDirSync("/usr/sbin")].map(({ name }) => name);
  const found = names.filter((name) => /^php-fpm[\d.]+$/.test(name)).sort().at(-1);
  return found === undefined ? "php-fpm" : `/usr/sbin/${found}`;
}

async function listening(command: string, port: number, options: ChildOptions): Promise<Child> {
  return await startChild(command, { ...options, ready: () => isListening(port) });
}
