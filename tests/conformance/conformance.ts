// SPDX-License-Identifier: Apache-2.0
// `deno task conformance [FOLDER]`: captures with what another decoder expects of them, against
// what ours makes of them packet by packet. Prints how many expected messages agree, and every
// disagreement with its verdict; fails when one is not argued, or too many are. With --tshark the
// other decoder is tshark, see ../tshark/tshark_conformance.ts.

import { namedProtocols } from "../../app/decode/named_protocols.ts";
import { createRegistry } from "../../operators/wire/registry.ts";
import { unmasked } from "../../operators/wire/unmasked.ts";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { align } from "./align.ts";
import { readExpectedLine, type Struct } from "./expected_line.ts";
import { type Folder, FOLDERS } from "./expectations.ts";
import { disagreements, type FactName, type Facts, factsOfLine } from "./facts.ts";
import { ourLines } from "./our_lines.ts";
import { type Verdict, verdictOn } from "./verdicts.ts";

/** Share of expected messages that may differ with an argument. */
const ARGUED_MAX = 0.03;

export interface Difference {
  readonly file: string;
  /** Line of the expectation, from 1. */
  readonly line: number;
  readonly expected: Facts;
  readonly ours: Facts | null;
  readonly facts: readonly FactName[];
  readonly verdict: Verdict | null;
}

export interface Conformance {
  readonly folder: string;
  readonly protocol: string;
  readonly files: number;
  readonly expected: number;
  readonly more: number;
  readonly differences: readonly Difference[];
}

export async function conformanceOf(root: string, folder: string): Promise<Conformance | null> {
  const known = FOLDERS[folder];
  if (known === undefined) return null;
  const names = [...Deno.readDirSync(`${root}/${folder}`)].map(({ name }) => name).sort();
  const results = names.filter((name) =>
    name.endsWith(".result") && names.includes(name.replace(/result$/, "pcap"))
  );
  const differences: Difference[] = [];
  let expected = 0, more = 0;
  for (const result of results) {
    const file = result.slice(0, -".result".length);
    const compared = await compareFile(`${root}/${folder}/${file}`, `${folder}/${file}`, known);
    expected += compared.expected;
    more += compared.more;
    differences.push(...compared.differences);
  }
  return { folder, protocol: known.protocol, files: results.length, expected, more, differences };
}

async function compareFile(path: string, name: string, folder: Folder) {
  const registry = createRegistry(PROTOCOLS.map(unmasked));
  let before: Struct | null = null;
  const expected = Deno.readTextFileSync(`${path}.result`).split("\n").flatMap((text, index) => {
    if (text.trim() === "") return [];
    const line = readExpectedLine(text);
    const facts = line === null ? null : folder.facts(line, before);
    before = line;
    return facts === null ? [] : [{ line: index + 1, facts }];
  });
  const named = namedProtocols(folder.protocol, registry);
  const lines = named.length === 0 ? [] : await ourLines(`${path}.pcap`, registry, named);
  const ours = lines.map((line) => ({ facts: factsOfLine(line) }));
  const differences: Difference[] = [];
  let more = 0;
  for (const pair of align(expected, ours)) {
    if (pair.expected === null) {
      more++;
      continue;
    }
    const facts = pair.ours === null
      ? [] as FactName[]
      : disagreements(pair.expected.facts, pair.ours.facts);
    if (pair.ours !== null && facts.length === 0) continue;
    const found = {
      file: name,
      line: pair.expected.line,
      expected: pair.expected.facts,
      ours: pair.ours?.facts ?? null,
      facts,
    };
    differences.push({ ...found, verdict: verdictOn(found) });
  }
  return { expected: expected.length, more, differences };
}

function print({ protocol, expected, more, differences }: Conformance): void {
  const agree = expected - differences.length;
  const share = expected === 0 ? "" : ` ${(100 * agree / expected).toFixed(1)} %`;
  const extra = more === 0 ? "" : `, ${more} more of ours`;
  console.log(`${protocol.padEnd(12)} ${agree} of ${expected} agree${share}${extra}`);
  for (const { file, line, expected: theirs, ours, facts, verdict } of differences) {
    const what = ours === null
      ? `no such message: ${JSON.stringify(theirs)}`
      : facts.map((name) => `${name}: ${show(theirs[name])}, ours ${show(ours[name])}`).join("; ");
    console.log(`  ${file}.result:${line} ${what}`);
    console.log(`    ${verdict === null ? "NOT ARGUED" : `${verdict.who}: ${verdict.why}`}`);
  }
}

const show = (value: string | number | undefined) => JSON.stringify(value) ?? "none";

async function main(root: string): Promise<number> {
  let folders: string[];
  try {
    folders = [...Deno.readDirSync(root)].filter((entry) => entry.isDirectory).map((e) => e.name);
  } catch {
    console.error(
      `Cannot compare captures: there is no folder ${root}. ` +
        "Name one that holds http/*.pcap with *.result beside, dns/ and so on.",
    );
    return 2;
  }
  let expected = 0, argued = 0, open = 0;
  for (const folder of folders.sort()) {
    const found = await conformanceOf(root, folder);
    if (found === null) {
      console.log(`${folder.padEnd(12)} not compared: no expectations of messages`);
      continue;
    }
    if (found.expected > 0) print(found);
    expected += found.expected;
    argued += found.differences.filter(({ verdict }) => verdict !== null).length;
    open += found.differences.filter(({ verdict }) => verdict === null).length;
  }
  const share = (n: number) => `${(100 * n / Math.max(1, expected)).toFixed(1)} %`;
  console.log(
    `\n${expected} expected messages: ${expected - argued - open} agree ` +
      `(${share(expected - argued - open)}), ${argued} differ with an argument (${
        share(argued)
      }), ` +
      `${open} without`,
  );
  return open > 0 || argued > ARGUED_MAX * expected ? 1 : 0;
}

async function start(words: readonly string[]): Promise<number> {
  if (!words.includes("--tshark")) return await main(words[0] ?? "../shared/golden/deepflow");
  const { tsharkConformance } = await import("../tshark/tshark_conformance.ts");
  return await tsharkConformance(words);
}

if (import.meta.main) Deno.exit(await start(Deno.args));
