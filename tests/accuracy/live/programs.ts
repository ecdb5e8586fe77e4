// SPDX-License-Identifier: Apache-2.0
// The programs whose traces are measured: how each is started, and what it is asked.

import type { Need } from "../../support/requirements.ts";
import type { Load } from "./load.ts";
import { PYTHON_PROGRAMS } from "./python_programs.ts";
import { SHAPE_PROGRAMS } from "./shape_programs.ts";
import {
  behindHaproxy,
  behindNginx,
  deno,
  go,
  java,
  node,
  nodeWith,
  python,
  type Start,
} from "./start_program.ts";

export interface Program {
  readonly name: string;
  /** What it is, for people. */
  readonly what: string;
  /** What it needs beside Redis, PostgreSQL and Node, which every program calls. */
  readonly needs: readonly Need[];
  readonly start: Start;
  /** Plans of requests, asked at random: letters are calls (redis, http, postgres). */
  readonly plans: readonly string[];
  /** How clients ask, where it is not one after the other. */
  readonly load?: Pick<Load, "pipelined" | "withIds">;
}

const threaded = ["r", "h", "rp", "hr", "rhr", "-"];
const sequential = ["r", "h", "r.h", "h.r", "r.h.r", "-"];
const fanOut = ["rh", "r.hh", "rr.h"];
const clients = ["r", "p", "h", "r.p", "p.h", "p.r.p", "-"];

const program = (
  name: string,
  what: string,
  start: Start,
  plans: readonly string[],
  ...needs: readonly Need[]
): Program => ({ name, what, needs, start, plans });

export const PROGRAMS: readonly Program[] = [
  program(
    "python_sequential",
    "one thread, a connection per request",
    python("python_threads.py", { THREADS: "no" }),
    threaded,
    "python",
  ),
  program(
    "python_threads",
    "a thread per connection",
    python("python_threads.py"),
    threaded,
    "python",
  ),
  program(
    "python_workers",
    "a reader and eight workers, which answer",
    python("python_workers.py"),
    threaded,
    "python",
  ),
  program(
    "python_workers_reader",
    "a reader and eight workers, the reader answers",
    python("python_workers.py", { ANSWERED_BY: "reader" }),
    threaded,
    "python",
  ),
  program(
    "asyncio",
    "asyncio, a connection per call",
    python("python_asyncio.py"),
    sequential,
    "python",
  ),
  ...[64, 4].map((POOL) =>
    program(
      `asyncio_pool_${POOL}`,
      `asyncio, ${POOL} connections per end`,
      python("python_asyncio.py", { POOL: `${POOL}` }),
      sequential,
      "python",
    )
  ),
  program(
    "asyncio_fan_out",
    "asyncio, 64 connections per end, calls at the same time",
    python("python_asyncio.py", { POOL: "64" }),
    fanOut,
    "python",
  ),
  program("asyncio_aiohttp", "aiohttp's server and client", python("python_aiohttp.py"), [
    ...sequential,
    ...fanOut,
  ], "aiohttp"),
  program(
    "asyncio_uvloop",
    "aiohttp's server and client on uvloop",
    python("python_aiohttp.py", { UVLOOP: "1" }),
    sequential,
    "aiohttp",
    "uvloop",
  ),
  program("node", "Node, a connection per call", node("node_pool.mjs"), sequential),
  ...[64, 4].map((POOL) =>
    program(
      `node_pool_${POOL}`,
      `Node, ${POOL} connections per end`,
      node("node_pool.mjs", { POOL: `${POOL}` }),
      sequential,
    )
  ),
  program(
    "node_fan_out",
    "Node, 64 connections per end, calls at the same time",
    node("node_pool.mjs", { POOL: "64" }),
    fanOut,
  ),
  program(
    "node_clients",
    "Node with pg's pool, ioredis and fetch",
    nodeWith(["pg@8", "ioredis@5"], "node_clients.mjs"),
    clients,
  ),
  program(
    "node_express",
    "Node with Express, axios, pg's pool and node-redis",
    nodeWith(["axios@1", "express@5", "pg@8", "redis@5"], "node_express.mjs"),
    [...clients, "r.h.r", "rp.h"],
  ),
  program("deno", "Deno.serve and fetch, 16 connections to Redis", deno("deno_serve.ts"), [
    ...sequential,
    "rh",
  ]),
  program("go", "Go's net/http", go("go_http.go"), sequential, "go"),
  program("go_fan_out", "Go, calls at the same time", go("go_http.go"), fanOut, "go"),
  program(
    "go_workers",
    "Go, calls by eight goroutines that a channel feeds",
    go("go_http.go", { WORKERS: "8" }),
    sequential,
    "go",
  ),
  program(
    "go_pools",
    "Go, calls by workers that get them through channels, in eight ways",
    go("go_pools.go"),
    [...sequential, "rh"],
    "go",
  ),
  program(
    "go_locked",
    "Go, calls by workers that take them from a line under a lock",
    go("go_pools.go", { POOL: "locked" }),
    sequential,
    "go",
  ),
  ...([
    ["same", "the thread that read calls and answers"],
    ["handoff", "calls on another fixed pool of eight"],
    ["async", "calls follow each other as CompletableFutures"],
  ] as const).map(([CALLS, what]) =>
    program(
      `java_${CALLS}`,
      `Java's HTTP server, ${what}`,
      java("JavaPool.java", { CALLS }),
      sequential,
      "java",
    )
  ),
  program(
    "nginx_node",
    "nginx in front of Node",
    behindNginx(node("node_pool.mjs", { POOL: "64" })),
    sequential,
    "nginx",
  ),
  program(
    "haproxy_node",
    "HAProxy in front of Node",
    behindHaproxy(node("node_pool.mjs", { POOL: "64" })),
    sequential,
    "haproxy",
  ),
  ...PYTHON_PROGRAMS,
  ...SHAPE_PROGRAMS,
];
