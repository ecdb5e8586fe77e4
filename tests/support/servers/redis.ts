// SPDX-License-Identifier: Apache-2.0
// redis-server as a child process of a test: in memory only, on a free port of loopback.

import { type Child, startChild } from "../child.ts";
import { freePort, isListening } from "../ports.ts";

export interface Redis extends Child {
  readonly port: number;
}

export async function startRedis(
  { port = freePort(), netns, settings = [] }: {
    port?: number;
    netns?: string | undefined;
    /** More command line settings, such as `--maxmemory 1mb`. */
    settings?: readonly string[];
  } = {},
): Promise<Redis> {
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = await startChild("redis-server", {
    args: [...args, ...settings],
    netns,
    ready: () => isListening(port, { netns }),
  });
  return { ...child, port };
}
