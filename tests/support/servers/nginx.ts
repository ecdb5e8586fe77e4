// SPDX-License-Identifier: Apache-2.0
// nginx as a child process of a test, with a configuration of the test's own.

import { type Child, startChild } from "../child.ts";
import { freePort, isListening } from "../ports.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

export interface NginxOptions {
  /** What stands in the `server` block beside `listen`; answers `hello` everywhere by default. */
  readonly server?: string;
  /** What stands in the `http` block before the server, such as an `upstream`. */
  readonly http?: string;
  readonly port?: number;
  readonly workers?: number;
  readonly netns?: string | undefined;
}

export interface Nginx extends Child {
  readonly port: number;
  readonly url: string;
}

export function startNginx(options: NginxOptions = {}): Promise<Nginx> {
  const { port = freePort(), netns } = options;
  return inTemporaryFolder("nginx", async (folder) => {
    await Deno.writeTextFile(`${folder}/nginx.conf`, configuration(folder, port, options));
    const child = await startChild("nginx", {
      args: ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"],
      netns,
      stopSignal: "SIGTERM",
      ready: () => isListening(port, { netns }),
    });
    return { ...child, port, url: `http://127.0.0.1:${port}` };
  });
}

function configuration(folder: string, port: number, options: NginxOptions): string {
  const server = options.server ?? `location / { return 200 "hello\\n"; }`;
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n  ");
  return `daemon off;
worker_processes ${options.workers ?? 1};
pid ${folder}/nginx.pid;
${Deno.uid() === 0 ? "user root;" : ""}
events { worker_connections 2048; }
http {
  access_log off;
  ${paths}
  ${options.http ?? ""}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`;
}
