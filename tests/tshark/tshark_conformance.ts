// SPDX-License-Identifier: Apache-2.0
// `deno task conformance --tshark`: our decoding of captures beside tshark's, field by field.
//
// Without files it takes the captures kept beside this file; with --live it makes them anew, by
// real servers and client libraries, recorded with this program's own capture and exported. Prints
// per protocol how many facts and fields agree, and every disagreement with its verdict; fails when
// one is not argued.

import { parseArgs } from "node:util";
import { freePort } from "../support/ports.ts";
import { requires } from "../support/requirements.ts";
import { whileAlone } from "../support/e2e.ts";
import { compare, type Comparison } from "./compare.ts";
import { dissect } from "./dissect.ts";
import { ourLanes, serversOf } from "./our_lanes.ts";
import { readerOf } from "./readers/readers.ts";
import { installPackages, recordTraffic } from "./record_traffic.ts";
import { TRAFFIC } from "./traffic.ts";

const LIVE_NEEDS = ["bpf", "node", "npm"] as const;
const CAPTURES = new URL("captures/", import.meta.url).pathname;

export interface TsharkOptions {
  /** All when empty. */
  readonly protocols: readonly string[];
  readonly json: boolean;
  readonly live: boolean;
  /** Where live captures are kept; nowhere when absent. */
  readonly keep?: string;
  readonly files: readonly string[];
}

export async function tsharkConformance(words: readonly string[]): Promise<number> {
  const options = readOptions(words);
  const missing = requires("tshark");
  if (missing !== null) {
    console.error(`Cannot compare with tshark: ${missing}`);
    return 2;
  }
  const report = reporter(options.json);
  for await (const { name, path } of capturesOf(options)) {
    for (const comparison of await compareCapture(path, options.protocols)) {
      report.add(name, comparison);
    }
  }
  return report.end();
}

function readOptions(words: readonly string[]): TsharkOptions {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      tshark: { type: "boolean" },
      protocol: { type: "string" },
      json: { type: "boolean" },
      live: { type: "boolean" },
      keep: { type: "string" },
    },
  });
  return {
    protocols: values.protocol?.split(",") ?? [],
    json: values.json === true,
    live: values.live === true,
    ...(values.keep === undefined ? {} : { keep: values.keep }),
    files: positionals,
  };
}

interface Capture {
  readonly name: string;
  readonly path: string;
}

async function* capturesOf({ files, live, protocols, keep }: TsharkOptions) {
  if (live) return yield* liveCaptures(protocols, keep);
  const paths = files.length > 0
    ? files
    : [...Deno.readDirSync(CAPTURES)].map(({ name }) => CAPTURES + name).sort();
  for (const path of paths) {
    if (/\.pcap(ng)?$/.test(path)) yield { name: path.replace(/.*\/|\.pcap(ng)?$/g, ""), path };
  }
}

async function* liveCaptures(
  protocols: readonly string[],
  keep: string | undefined,
): AsyncGenerator<Capture> {
  const folder = keep ?? await Deno.makeTempDir({ prefix: "spandrel-tshark-" });
  await Deno.mkdir(folder, { recursive: true });
  try {
    for (const traffic of TRAFFIC) {
      const isAsked = protocols.length === 0 || protocols.includes(traffic.protocol);
      if (!isAsked) continue;
      if (readerOf(traffic.protocol) === undefined) {
        console.error(`${traffic.name}: not compared: tshark does not know this protocol`);
        continue;
      }
      const lacking = [...LIVE_NEEDS, ...traffic.needs].map(requires).find((why) => why !== null);
      if (lacking !== undefined) {
        console.error(`${traffic.name}: not compared: ${lacking}`);
        continue;
      }
      const modules = await installPackages(traffic.packages);
      const where = { folder, modules, port: freePort() };
      const { pcapng } = await whileAlone(() => recordTraffic(traffic, where));
      yield { name: traffic.name, path: pcapng };
    }
  } finally {
    if (keep === undefined) await Deno.remove(folder, { recursive: true });
  }
}

/** Every protocol that we find in it and tshark knows. */
export async function compareCapture(
  path: string,
  protocols: readonly string[],
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [protocol, lanes] of await ourLanes(path)) {
    const reader = readerOf(protocol);
    const isAsked = protocols.length === 0 || protocols.includes(protocol);
    if (reader === undefined || !isAsked) continue;
    comparisons.push(compare(protocol, await dissect(path, reader, serversOf(lanes)), lanes));
  }
  return comparisons;
}

function reporter(json: boolean) {
  let [messages, stated, agree, argued, open] = [0, 0, 0, 0, 0];
  return {
    add(name: string, comparison: Comparison): void {
      const unargued = comparison.disagreements.filter(({ verdict }) => verdict === null).length;
      messages += comparison.messages;
      stated += comparison.stated;
      agree += comparison.agree;
      argued += comparison.disagreements.length - unargued;
      open += unargued;
      if (json) console.log(JSON.stringify({ capture: name, ...comparison }));
      else print(name, comparison);
    },
    end(): number {
      if (!json) {
        console.log(
          `\n${messages} messages, ${stated} facts and fields: ${agree} agree ` +
            `(${share(agree, stated)}), ${argued} disagreements with an argument, ${open} without`,
        );
      }
      return open > 0 || stated === 0 ? 1 : 0;
    },
  };
}

const share = (n: number, of: number) => `${(100 * n / Math.max(1, of)).toFixed(1)} %`;

function print(name: string, comparison: Comparison): void {
  const { protocol, messages, stated, agree, disagreements } = comparison;
  const title = name === protocol ? name : `${name} (${protocol})`;
  console.log(
    `${title.padEnd(28)} ${messages} messages, ${agree} of ${stated} agree ${share(agree, stated)}`,
  );
  for (const { lane, frame, name, theirs, ours, verdict } of disagreements) {
    const where = frame === 0 ? lane : `${lane}, packet ${frame}`;
    console.log(`  ${where}: ${name}: tshark ${theirs}, ours ${ours}`);
    console.log(`    ${verdict === null ? "NOT ARGUED" : `${verdict.who}: ${verdict.why}`}`);
  }
}
