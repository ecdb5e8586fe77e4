// SPDX-License-Identifier: Apache-2.0
// What tracing leaves of the request rate of real servers: pairs of runs, untraced and traced, in
// turns. The tracer runs whole on the same cores: probes, pipeline and JSON lines into a file.

import { runToEnd, startChild } from "../support/child.ts";
import { startNginx } from "../support/servers/nginx.ts";
import { startRedis } from "../support/servers/redis.ts";
import { commandLine } from "../support/spandrel.ts";
import { median } from "./median.ts";

export interface SlowdownReport {
  readonly rows: readonly SlowdownRow[];
}

export interface SlowdownRow {
  readonly load: string;
  /** Requests per second, medians over the pairs. */
  readonly untraced: number;
  readonly traced: number;
  /** Median over the pairs of traced / untraced. */
  readonly ratio: number;
}

const PAIRS = 5;

/** Needs root, nginx, wrk and Redis. */
export async function slowdownBench(): Promise<SlowdownReport> {
  return { rows: [await nginxUnderWrk(), await redisBenchmark()] };
}

async function nginxUnderWrk(): Promise<SlowdownRow> {
  await using nginx = await startNginx();
  return await compare("nginx, wrk -t1 -c16", async () => {
    const out = await runToEnd("wrk", { args: ["-t1", "-c16", "-d3s", `${nginx.url}/`] });
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1]);
  });
}

async function redisBenchmark(): Promise<SlowdownRow> {
  await using redis = await startRedis();
  const args = ["-p", `${redis.port}`, "-t", "get", "-n", "150000", "-c", "32", "--csv"];
  return await compare("redis-benchmark GET -c 32", async () => {
    const out = await runToEnd("redis-benchmark", { args });
    return Number(/"GET","([\d.]+)"/.exec(out)?.[1]);
  });
}

async function compare(load: string, requestsPerSecond: () => Promise<number>) {
  const untraced: number[] = [];
  const traced: number[] = [];
  await requestsPerSecond();
  for (let pair = 0; pair < PAIRS; pair++) {
    untraced.push(await requestsPerSecond());
    await using _tracer = await startTracer();
    traced.push(await requestsPerSecond());
  }
  const ratios = traced.map((rate, pair) => rate / (untraced[pair] ?? NaN));
  return { load, untraced: median(untraced), traced: median(traced), ratio: median(ratios) };
}

/** The tracer with its output in a file, as a user would keep it. */
async function startTracer() {
  const path = await Deno.makeTempFile({ suffix: ".ndjson" });
  const [, ...args] = commandLine(["trace", "--json", "--output", path]);
  const child = await startChild("env", {
    args,
    stopSignal: "SIGINT",
    ready: (tracer) => /^Tracing /m.test(tracer.stderr()),
  });
  return {
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await Deno.remove(path);
    },
  };
}

export function formatSlowdownReport({ rows }: SlowdownReport): string {
  return [
    "requests per second            untraced     traced   ratio",
    ...rows.map(({ load, untraced, traced, ratio }) =>
      `  ${load.padEnd(26)} ${untraced.toFixed(0).padStart(10)} ${
        traced.toFixed(0).padStart(10)
      } ` +
      `${(ratio * 100).toFixed(0).padStart(6)} %`
    ),
  ].join("\n");
}

if (import.meta.main) console.log(formatSlowdownReport(await slowdownBench()));
