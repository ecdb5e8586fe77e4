// SPDX-License-Identifier: Apache-2.0
// The ends that the programs call: Redis, PostgreSQL, DNS, and an HTTP server that takes its time.

import { startChild } from "../../support/child.ts";
import { freePort, isListening } from "../../support/ports.ts";
import { startDnsmasq } from "../../support/servers/dnsmasq.ts";
import { startPostgres } from "../../support/servers/postgres.ts";
import { startRedis } from "../../support/servers/redis.ts";
import type { Ends } from "./start_program.ts";

export async function startEnds(): Promise<Ends & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const redis = starting.use(await startRedis());
  const postgres = starting.use(await startPostgres());
  const dns = starting.use(
    await startDnsmasq({ addresses: {}, settings: ["--address=/shop/192.0.2.1"] }),
  );
  const leaf = freePort();
  starting.use(
    await startChild("node", {
      args: [new URL("../programs/leaf.mjs", import.meta.url).pathname],
      env: { PORT: `${leaf}` },
      ready: () => isListening(leaf),
    }),
  );
  const running = starting.move();
  return {
    redis: redis.port,
    leaf,
    postgres: postgres.port,
    dns: dns.port,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
