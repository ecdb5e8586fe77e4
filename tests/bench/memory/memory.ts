// SPDX-License-Identifier: Apache-2.0
// What the tracer takes of memory under a steady load: the live view with its store in memory,
// plain lines with a store in a file, and JSON lines without a store.

import { openHostFiles } from "../../../ffi/host_files.ts";
import { openLibc } from "../../../ffi/libc.ts";
import { startChild } from "../../support/child.ts";
import { within } from "../../support/deadline.ts";
import { startNginx } from "../../support/servers/nginx.ts";
import { startRedis } from "../../support/servers/redis.ts";
import { type MappedPart, partsOf } from "./mapped_parts.ts";
import { median } from "../median.ts";
import { startTracer, type Tracer } from "./running_tracer.ts";

export interface MemoryOptions {
  /** Per way of tracing. */
  readonly seconds: number;
  readonly requestsPerSecond: number;
}

export interface MemoryRow {
  readonly what: string;
  /** What the load generator reached. */
  readonly requestsPerSecond: number;
  /** One core is 1. */
  readonly cpuCores: number;
  /** Resident megabytes, once a second. */
  readonly residentMb: readonly number[];
  /** Of the last sample, largest first. */
  readonly parts: readonly MappedPart[];
  /** The closing words of the tracer: events and drops. */
  readonly said: string;
  /** From the interrupt to the end. */
  readonly endMs: number;
}

/** Gives about 50 k events/s: 4 per request to Redis, 8 per proxied request. */
export const REQUESTS_PER_SECOND = 10_000;
const SAMPLE_MS = 1_000;
const TICKS_PER_SECOND = 100;
const END_MS_MAX = 60_000;

/** nginx would close a connection after a thousand requests, and the load does not reconnect. */
const FOR_EVER = "keepalive_requests 1000000000;";
const PROXY = `${FOR_EVER}
  location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://stock; }`;
const STOCK = `${FOR_EVER}
  location / { return 200 "one item\\n"; }`;

/** Needs root, nginx, Redis and tmux. */
export async function memoryBench(options: MemoryOptions): Promise<readonly MemoryRow[]> {
  await using redis = await startRedis();
  await using stock = await startNginx({ server: STOCK });
  const upstream = `upstream stock { server 127.0.0.1:${stock.port}; keepalive 64; ${FOR_EVER} }`;
  await using shop = await startNginx({ server: PROXY, http: upstream });
  const folder = await Deno.makeTempDir({ prefix: "spandrel-memory-" });
  const rows: MemoryRow[] = [];
  const measure = async (what: string, words: readonly string[], onTerminal = false) => {
    await using load = await startLoad([redis.port, shop.port, options.requestsPerSecond]);
    await using tracer = await startTracer(words, onTerminal);
    rows.push({ what, ...await watch(tracer, load.sent, options.seconds) });
  };
  try {
    await measure("live view, store in memory", [], true);
    await measure("lines, store in a file", [
      "--db",
      `${folder}/db`,
      "--output",
      `${folder}/lines`,
    ]);
    await measure("--json, no store", ["--json", "--output", `${folder}/json`]);
    return rows;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function startLoad(words: readonly number[]) {
  const script = new URL("./request_load.ts", import.meta.url).pathname;
  const child = await startChild(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-ffi", script, ...words.map(String)],
    ready: (load) => load.stdout() !== "",
  });
  let failure = "";
  child.exited.then(() => failure = child.stderr());
  return {
    sent() {
      if (failure !== "") throw new Error(`Cannot go on with the load: ${failure}`);
      return Number(child.stdout().trimEnd().split("\n").at(-1));
    },
    [Symbol.asyncDispose]: child[Symbol.asyncDispose],
  };
}

async function watch(tracer: Tracer, sent: () => number, seconds: number) {
  using libc = openLibc();
  const files = openHostFiles(libc);
  const read = (name: string) => files.text(`/proc/${tracer.pid}/${name}`) ?? "";
  const ticks = () => read("stat").split(") ")[1]?.split(" ").slice(11, 13).map(Number) ?? [];
  const residentMb: number[] = [];
  const start = { sent: sent(), ticks: ticks() };
  for (let second = 0; second < seconds; second++) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    residentMb.push(Number(/^VmRSS:\s+(\d+)/m.exec(read("status"))?.[1]) * 1_024 / 1e6);
  }
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const parts = partsOf(read("smaps"));
  const used = (sum(ticks()) - sum(start.ticks)) / TICKS_PER_SECOND;
  const rate = (sent() - start.sent) / seconds;
  const startMs = performance.now();
  const said = await within("the tracer end", tracer.end(), END_MS_MAX);
  const endMs = performance.now() - startMs;
  return { requestsPerSecond: rate, cpuCores: used / seconds, residentMb, parts, said, endMs };
}

export function formatMemoryReport(rows: readonly MemoryRow[]): string {
  return rows.map((row) => {
    const step = Math.max(1, Math.ceil(row.residentMb.length / 12));
    const shown = row.residentMb.filter((_, i) => (i + 1) % step === 0);
    return [
      `${row.what}: ${Math.max(...row.residentMb).toFixed(0)} MB at most, ` +
      `${median(row.residentMb).toFixed(0)} MB median, ${row.cpuCores.toFixed(2)} cores, ` +
      `at ${row.requestsPerSecond.toFixed(0)} requests/s`,
      `  every ${step} s   ${shown.map((mb) => mb.toFixed(0)).join(" ")}`,
      `  at the end  ${row.parts.map((p) => `${p.megabytes.toFixed(0)} ${p.name}`).join("; ")}`,
      `  ended in ${(row.endMs / 1_000).toFixed(1)} s: ${row.said}`,
    ].join("\n");
  }).join("\n");
}
