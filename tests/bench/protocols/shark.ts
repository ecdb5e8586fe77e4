// SPDX-License-Identifier: Apache-2.0
// tshark and ours on the same capture files: whole programs, started and ended, because people wait
// for those. A small file shows what starting costs, a large one what packets do; the fixtures have
// three packets with data a connection, services that keep their connections have thousands.
//
//   columns   tshark dissects and prints the protocol of each packet: the least it can be asked for
//   ek        tshark prints all that it dissects as JSON, a packet a line
//   ours      `decode --json`: every message, a line each, all its fields

import type { Talk } from "../../fuzz/corpus.ts";
import { writeCapture } from "./capture_file.ts";
import { httpGets, redisGets } from "./keep_alive.ts";

export interface SharkRow {
  readonly what: string;
  readonly packets: number;
  readonly bytes: number;
  readonly columnsMs: number;
  /** NaN where it would take minutes. */
  readonly ekMs: number;
  readonly ourMs: number;
}

interface SharkFile {
  readonly what: string;
  readonly talks: readonly Talk[];
  readonly copies: number;
  readonly withEk: boolean;
}

const sharkFiles = (fixtures: readonly Talk[]): readonly SharkFile[] => [
  { what: "fixtures", talks: fixtures, copies: 3, withEk: true },
  { what: "fixtures", talks: fixtures, copies: 100, withEk: true },
  { what: "fixtures", talks: fixtures, copies: 600, withEk: false },
  { what: "keep-alive", talks: [redisGets(), httpGets()], copies: 200, withEk: true },
];

/** null where tshark is not installed. */
export async function sharkRows(fixtures: readonly Talk[]): Promise<SharkRow[] | null> {
  const path = await Deno.makeTempFile({ prefix: "spandrel_bench_", suffix: ".pcap" });
  const shark = (...form: string[]) => timeOf("tshark", ["-r", path, "-n", ...form]);
  try {
    const rows: SharkRow[] = [];
    for (const { what, talks, copies, withEk } of sharkFiles(fixtures)) {
      const { packets, bytes } = await writeCapture(path, talks, copies);
      const columnsMs = await shark("-T", "fields", "-e", "_ws.col.Protocol");
      if (columnsMs === null) return null;
      const ekMs = withEk ? await shark("-T", "ek") ?? NaN : NaN;
      rows.push({ what, packets, bytes, columnsMs, ekMs, ourMs: await decodeMs(path) ?? NaN });
    }
    return rows;
  } finally {
    await Deno.remove(path);
  }
}

function decodeMs(path: string): Promise<number | null> {
  const main = new URL("../../../app/cli/main.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-env", main];
  return timeOf(Deno.execPath(), [...args, "decode", "--json", "--pcap", path]);
}

/** null where there is no such program, or it fails. */
async function timeOf(program: string, args: string[]): Promise<number | null> {
  const start = performance.now();
  try {
    const { success } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" })
      .output();
    return success ? performance.now() - start : null;
  } catch {
    return null;
  }
}

export function formatShark(rows: readonly SharkRow[] | null): string {
  if (rows === null) return "  tshark: not installed";
  const ms = (n: number) => (Number.isNaN(n) ? "–" : n.toFixed(0)).padStart(9);
  const ratio = (n: number) => (Number.isNaN(n) ? "–" : `${n.toFixed(1)} ×`).padStart(9);
  return [
    "  file         packets      MB   columns        ek      ours, ms    columns        ek  : ours",
    ...rows.map(({ what, packets, bytes, columnsMs, ekMs, ourMs }) =>
      [
        `  ${what}`.padEnd(12),
        `${packets}`.padStart(9),
        (bytes / 1e6).toFixed(1).padStart(7),
        ms(columnsMs),
        ms(ekMs),
        ms(ourMs),
        "   ",
        ratio(columnsMs / ourMs),
        ratio(ekMs / ourMs),
      ].join(" ")
    ),
  ].join("\n");
}
