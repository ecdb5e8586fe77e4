// SPDX-License-Identifier: Apache-2.0
// Which shapes of work the programs have, as a table: a shape counts as covered with programs in
// two runtimes.

import { PROGRAMS } from "./programs.ts";

/** Programs by shape; a program stands wherever its traces show how that shape fares. */
export const COVERAGE: Readonly<Record<string, readonly string[]>> = {
  "sequential calls": ["python_sequential", "python_threads", "asyncio", "node", "go", "java_same"],
  "parallel fan-out": ["node_fan_out", "asyncio_fan_out", "go_fan_out", "deno"],
  "nested three deep": ["nested"],
  "pooled connections with queueing": [
    ...[
      "asyncio_pool_4",
      "asyncio_pool_64",
      "asyncio_aiohttp",
      "asyncio_uvloop",
      "fastapi_tasks",
      "node_pool_4",
      "node_pool_64",
      "node_clients",
      "node_express",
      "deno",
    ],
  ],
  "keep-alive clients": ["python_threads", "asyncio", "node", "deno", "go", "java_same"],
  "pipelined clients": ["node_pipelined", "go_pipelined", "python_threads_pipelined"],
  "retries and timeouts": ["node_retries", "asyncio_retries", "go_retries"],
  "client gone before the answer": ["node_leaving", "asyncio_leaving", "go_leaving"],
  "early answer, then background work": [
    ...["node_background", "asyncio_background", "go_background"],
  ],
  "caches that sometimes save a call": ["node_caches", "asyncio_caches", "go_caches"],
  "work handed to a pool of threads": [
    "python_workers",
    "python_workers_reader",
    "fastapi_threads",
    "fastapi_executor",
    "java_handoff",
    "go_workers",
    "go_pools",
    "go_locked",
  ],
  "answer by another thread": ["python_workers", "java_async", "go"],
  "timers and delays": ["node_timers", "asyncio_timers", "go_timers"],
  "HTTP/2 multiplexing": [
    "node_http2",
    "go_http2",
    "go_grpc",
    "go_grpc_workers",
    "haproxy_http2",
  ],
  "reverse proxy without ids": ["nginx_node", "haproxy_node", "nginx_php", "haproxy_http2"],
  "reverse proxy with ids": ["nginx_ids", "haproxy_ids"],
  "queue, producer to consumer": ["node_queue", "threads_queue", "threads_list"],
  "long-lived streams": ["node_streams", "asyncio_streams", "go_streams"],
  "PostgreSQL as an end": ["python_threads", "python_workers", "node_clients", "node_express"],
  "DNS as an end": ["node_dns", "asyncio_dns", "go_dns"],
};

/** One page serves several shapes in a runtime: what comes before the first _ of a program. */
export function runtimesOf(names: readonly string[]): string[] {
  const runtimes = names.flatMap((name) => severalIn[name] ?? [name.split("_")[0] ?? name]);
  return [...new Set(runtimes)];
}

const severalIn: Readonly<Record<string, readonly string[]>> = {
  nested: ["node", "asyncio", "go"],
};

/** Shapes with their programs, then programs with what they are. */
export function coverageText(): string {
  const shapes = Object.entries(COVERAGE).map(([shape, names]) =>
    `${shape.padEnd(36)}${names.join(", ")}`
  );
  const width = Math.max(...PROGRAMS.map(({ name }) => name.length)) + 2;
  const programs = PROGRAMS.map(({ name, what }) => `${name.padEnd(width)}${what}`);
  return `Shapes of work, and the programs that have them\n\n${shapes.join("\n")}\n\n` +
    `Programs\n\n${programs.join("\n")}`;
}
