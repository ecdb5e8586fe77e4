// SPDX-License-Identifier: Apache-2.0
// The programs whose traces are measured: how each is started, and what it is asked.

import type { Need } from "../../support/requirements.ts";

/** Ports of the ends that a program may call. */
export interface Ends {
  readonly redis: number;
  readonly leaf: number;
  readonly postgres: number;
}

export interface Program {
  readonly name: string;
  /** What it is, for people. */
  readonly what: string;
  readonly needs: readonly Need[];
  /** The file under programs/, and what runs it. */
  readonly file: string;
  readonly command: (file: string) => readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Plans of requests, asked at random: letters are calls (redis, http, postgres). */
  readonly plans: readonly string[];
}

const python = (file: string) => ["/usr/bin/python3", file] as const;
const node = (file: string) => ["node", file] as const;

const sequential = ["r", "h", "rp", "hr", "rhr", "-"];
const loop = ["r", "h", "r.h", "h.r", "r.h.r", "-"];
const fanOut = ["rh", "r.hh", "rr.h"];

export const PROGRAMS: readonly Program[] = [
  {
    name: "python_sequential",
    what: "one thread, a connection per request",
    needs: ["python"],
    file: "python_threads.py",
    command: python,
    env: { THREADS: "no" },
    plans: sequential,
  },
  {
    name: "python_threads",
    what: "a thread per connection",
    needs: ["python"],
    file: "python_threads.py",
    command: python,
    plans: sequential,
  },
  {
    name: "python_workers",
    what: "a reader and eight workers, which answer",
    needs: ["python"],
    file: "python_workers.py",
    command: python,
    plans: sequential,
  },
  {
    name: "python_workers_reader",
    what: "a reader and eight workers, the reader answers",
    needs: ["python"],
    file: "python_workers.py",
    command: python,
    env: { ANSWERED_BY: "reader" },
    plans: sequential,
  },
  {
    name: "asyncio",
    what: "asyncio, a connection per call",
    needs: ["python"],
    file: "python_asyncio.py",
    command: python,
    plans: loop,
  },
  {
    name: "asyncio_pool_64",
    what: "asyncio, 64 connections per end",
    needs: ["python"],
    file: "python_asyncio.py",
    command: python,
    env: { POOL: "64" },
    plans: loop,
  },
  {
    name: "asyncio_pool_4",
    what: "asyncio, 4 connections per end",
    needs: ["python"],
    file: "python_asyncio.py",
    command: python,
    env: { POOL: "4" },
    plans: loop,
  },
  {
    name: "node",
    what: "Node, a connection per call",
    needs: ["node"],
    file: "node_pool.mjs",
    command: node,
    plans: loop,
  },
  {
    name: "node_pool_64",
    what: "Node, 64 connections per end",
    needs: ["node"],
    file: "node_pool.mjs",
    command: node,
    env: { POOL: "64" },
    plans: loop,
  },
  {
    name: "node_pool_4",
    what: "Node, 4 connections per end",
    needs: ["node"],
    file: "node_pool.mjs",
    command: node,
    env: { POOL: "4" },
    plans: loop,
  },
  {
    name: "node_fan_out",
    what: "Node, 64 connections per end, calls at the same time",
    needs: ["node"],
    file: "node_pool.mjs",
    command: node,
    env: { POOL: "64" },
    plans: fanOut,
  },
];
