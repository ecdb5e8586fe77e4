// SPDX-License-Identifier: Apache-2.0
// tshark and ours on the same capture files: whole programs, started and ended, because people wait
// for those. A small file shows what starting costs, a large one what packets do; the fixtures have
// three packets with data a connection, services that keep their connections have thousands.
//
//   columns   tshark dissects and prints the protocol of each packet: the least it can be asked for
//   ek        tshark prints all that it dissects as JSON, a packet a line
//   ours      `decode --json`: every message, a line each, all its fields
//
// Processor time of all threads: ours compiles and collects on others beside its main one, so that
// people wait less than that on an idle machine. By the clock: where nothing else runs.

import type { Talk } from "../../fuzz/corpus.ts";
import { writeCapture } from "./capture_file.ts";
import { httpGets, redisGets } from "./keep_alive.ts";

export interface SharkRow {
  readonly what: string;
  readonly packets: number;
  readonly bytes: number;
  readonly columns: Cost;
  /** NaN where it would take minutes. */
  readonly ek: Cost;
  readonly ours: Cost;
}

/** Least of the runs, in milliseconds. */
interface Cost {
  readonly processorMs: number;
  readonly clockMs: number;
}

const UNKNOWN: Cost = { processorMs: NaN, clockMs: NaN };

interface SharkFile {
  readonly what: string;
  readonly talks: readonly Talk[];
  readonly copies: number;
  readonly withEk: boolean;
  /** Of each program. */
  readonly runs: number;
}

const sharkFiles = (fixtures: readonly Talk[]): readonly SharkFile[] => [
  { what: "fixtures", talks: fixtures, copies: 3, withEk: true, runs: 3 },
  { what: "fixtures", talks: fixtures, copies: 100, withEk: true, runs: 2 },
  { what: "fixtures", talks: fixtures, copies: 600, withEk: false, runs: 1 },
  { what: "keep-alive", talks: [redisGets(), httpGets()], copies: 200, withEk: true, runs: 1 },
];

/** null where tshark is not installed. */
export async function sharkRows(fixtures: readonly Talk[]): Promise<SharkRow[] | null> {
  const path = await Deno.makeTempFile({ prefix: "spandrel_bench_", suffix: ".pcap" });
  const shark = (runs: number, ...form: string[]) =>
    costOf(runs, ["tshark", "-r", path, "-n", ...form]);
  try {
    const rows: SharkRow[] = [];
    for (const { what, talks, copies, withEk, runs } of sharkFiles(fixtures)) {
      const size = await writeCapture(path, talks, copies);
      const columns = await shark(runs, "-T", "fields", "-e", "_ws.col.Protocol");
      if (columns === null) return null;
      const ek = withEk ? await shark(runs, "-T", "ek") ?? UNKNOWN : UNKNOWN;
      const ours = await costOf(runs, decodeWords(path)) ?? UNKNOWN;
      rows.push({ what, ...size, columns, ek, ours });
    }
    return rows;
  } finally {
    await Deno.remove(path);
  }
}

function decodeWords(path: string): string[] {
  const main = new URL("../../../app/cli/main.ts", import.meta.url).pathname;
  const run = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-read", "--allow-env"];
  return [...run, main, "decode", "--json", "--pcap", path];
}

/** null where there is no such program, or it fails. */
async function costOf(runs: number, words: readonly string[]): Promise<Cost | null> {
  const least = { processorMs: Infinity, clockMs: Infinity };
  for (let i = 0; i < runs; i++) {
    const cost = await runOnce(words);
    if (cost === null) return null;
    least.processorMs = Math.min(least.processorMs, cost.processorMs);
    least.clockMs = Math.min(least.clockMs, cost.clockMs);
  }
  return least;
}

/** The shell tells what its children took. */
async function runOnce(words: readonly string[]): Promise<Cost | null> {
  const args = ["-c", '"$@" >/dev/null 2>&1 || exit 1; times', "sh", ...words];
  const startMs = performance.now();
  const { success, stdout } = await new Deno.Command("sh", { args }).output();
  const clockMs = performance.now() - startMs;
  const times = new TextDecoder().decode(stdout).match(/\d+m[\d.]+s/g) ?? [];
  const [, , user, system] = times.map(msOf);
  if (!success || user === undefined || system === undefined) return null;
  return { processorMs: user + system, clockMs };
}

/** `0m1.25s` */
function msOf(text: string): number {
  const [minutes = "", seconds = ""] = text.split("m");
  return (Number(minutes) * 60 + Number(seconds.slice(0, -1))) * 1_000;
}

export function formatShark(rows: readonly SharkRow[] | null): string {
  if (rows === null) return "  tshark: not installed";
  const ms = (n: number) => (Number.isNaN(n) ? "–" : n.toFixed(0)).padStart(8);
  const ratio = (n: number) => (Number.isNaN(n) ? "–" : `${n.toFixed(1)} ×`).padStart(9);
  return [
    "                                 processor time, ms             tshark : ours" +
    "   by the clock",
    "  file         packets      MB  columns       ek     ours   columns        ek" +
    "   columns        ek",
    ...rows.map(({ what, packets, bytes, columns, ek, ours }) =>
      [
        `  ${what}`.padEnd(12),
        `${packets}`.padStart(9),
        (bytes / 1e6).toFixed(1).padStart(7),
        ms(columns.processorMs),
        ms(ek.processorMs),
        ms(ours.processorMs),
        ratio(columns.processorMs / ours.processorMs),
        ratio(ek.processorMs / ours.processorMs),
        ratio(columns.clockMs / ours.clockMs),
        ratio(ek.clockMs / ours.clockMs),
      ].join(" ")
    ),
  ].join("\n");
}
