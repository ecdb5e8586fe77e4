// SPDX-License-Identifier: Apache-2.0
// All benches, one after the other, or those that are named. Ratios within one run mean something;
// absolute numbers belong to the machine they were taken on, which is printed first.

import {
  type ApplicationContext,
  buildApplication,
  buildCommand,
  run as runApplication,
  text_en,
} from "@stricli/core";
import process from "node:process";
import { type Need, requires } from "../support/requirements.ts";

interface BenchFlags {
  readonly seconds: number;
  readonly rate: number;
}

interface Bench {
  readonly name: string;
  readonly what: string;
  readonly needs: readonly Need[];
  readonly run: (flags: BenchFlags) => Promise<string>;
}

const BENCHES: readonly Bench[] = [
  {
    name: "probe",
    what: "cost of the probes per call, beside the floor; wall time of calls",
    needs: ["bpf"],
    run: async () => {
      const { formatProbeCost, probeCost } = await import("./probe_cost.ts");
      return formatProbeCost(await probeCost());
    },
  },
  {
    name: "slowdown",
    what: "request rate of nginx and Redis, traced against untraced",
    needs: ["bpf", "nginx", "wrk", "redis"],
    run: async () => {
      const { formatSlowdownReport, slowdownBench } = await import("./slowdown.ts");
      return formatSlowdownReport(await slowdownBench());
    },
  },
  {
    name: "memory",
    what: "resident memory under a steady load of requests, with a store and without",
    needs: ["bpf", "nginx", "redis", "tmux"],
    run: async ({ seconds, rate }) => {
      const { formatMemoryReport, memoryBench } = await import("./memory/memory.ts");
      return formatMemoryReport(await memoryBench({ seconds, requestsPerSecond: rate }));
    },
  },
  {
    name: "replay",
    what: "a recording through the whole pipeline, per operator",
    needs: ["bpf", "redis"],
    run: async () => {
      const { formatReplayReport, replayBench } = await import("./replay.ts");
      return formatReplayReport(await replayBench());
    },
  },
  {
    name: "engine",
    what: "one record through ten stages, against other ways to chain them",
    needs: [],
    run: async () => {
      const { engineBench, formatEngineReport } = await import("./engine.ts");
      return formatEngineReport(await engineBench());
    },
  },
  {
    name: "sources",
    what: "decoding of ring records and packets",
    needs: [],
    run: async () => {
      const { formatSourcesReport, sourcesBench } = await import("./sources.ts");
      return formatSourcesReport(await sourcesBench());
    },
  },
  {
    name: "decode",
    what: "protocols: bytes to messages, and the chain to exchanges",
    needs: [],
    run: async () => {
      const { decodeBench, formatDecodeReport } = await import("./decode.ts");
      return formatDecodeReport(await decodeBench());
    },
  },
  {
    name: "protocols",
    what: "each protocol on its fixture, the probes; npm libraries and tshark on the same bytes",
    needs: [],
    run: async () => {
      const { formatProtocolsReport, protocolsBench } = await import("./protocols.ts");
      return formatProtocolsReport(await protocolsBench());
    },
  },
  {
    name: "association",
    what: "linking alone, by the kind of program",
    needs: [],
    run: async () => {
      const { associationBench, formatAssociationReport } = await import("./association.ts");
      return formatAssociationReport(await associationBench());
    },
  },
  {
    name: "store",
    what: "inserts, reopening, memory",
    needs: [],
    run: async () => {
      const { formatStoreReport, storeBench } = await import("./store.ts");
      return formatStoreReport(await storeBench());
    },
  },
  {
    name: "assembly",
    what: "one trace among a million spans, all traces",
    needs: [],
    run: async () => {
      const { assemblyBench, formatAssemblyReport } = await import("./assembly.ts");
      return formatAssemblyReport(await assemblyBench());
    },
  },
];

const command = buildCommand<BenchFlags, string[], ApplicationContext>({
  func: async function (flags, ...names) {
    this.process.exitCode = await runBenches(flags, names);
  },
  parameters: {
    flags: {
      seconds: {
        kind: "parsed",
        parse: positive,
        brief: "memory: how long each way of tracing is watched",
        placeholder: "number",
        default: "60",
      },
      rate: {
        kind: "parsed",
        parse: positive,
        brief: "memory: requests per second; 10000 make about 50 k events/s",
        placeholder: "number",
        default: "10000",
      },
    },
    positional: {
      kind: "array",
      parameter: {
        parse: nameOfBench,
        brief: "Benches to run; without one, all, in about ten minutes",
        placeholder: "NAME",
      },
    },
  },
  docs: {
    brief: "Measure, and print what was measured",
    customUsage: [
      { input: "", brief: "everything" },
      { input: "probe slowdown", brief: "these two" },
      { input: "memory --seconds 180", brief: "three minutes for each way of tracing" },
    ],
    fullDescription: `Ratios within one run mean something; absolute numbers belong to the machine.

${BENCHES.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`).join("\n")}`,
  },
});

function nameOfBench(text: string): string {
  if (BENCHES.some(({ name }) => name === text)) return text;
  const names = BENCHES.map(({ name }) => name).join(", ");
  throw new Error(`Cannot run bench ${text}: there are ${names}`);
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`Cannot read ${text}: it is no number above 0`);
}

async function runBenches(flags: BenchFlags, names: readonly string[]): Promise<number> {
  console.log(`${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}\n`);
  let failures = 0;
  for (const { name, needs, run } of BENCHES) {
    if (names.length > 0 && !names.includes(name)) continue;
    const reason = needs.map(requires).find((each) => each !== null) ?? null;
    if (reason !== null) {
      console.log(`${name}: skipped, ${reason}\n`);
      continue;
    }
    try {
      console.log(`${name}\n${await run(flags)}\n`);
    } catch (error) {
      failures++;
      console.error(`${name}: failed: ${error instanceof Error ? error.message : error}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}

async function main(words: readonly string[]): Promise<number> {
  const app = buildApplication(command, {
    name: "deno task bench",
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { caseStyle: "convert-camel-to-kebab", onlyRequiredInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        exceptionWhileParsingArguments: (error) =>
          (error instanceof Error ? error.message : String(error)).replace(/^.*?(?=Cannot )/s, ""),
      },
    },
  });
  const isPlain = !Deno.stdout.isTerminal() || Deno.env.get("NO_COLOR") !== undefined;
  const context = {
    process: {
      stdout: process.stdout,
      stderr: process.stderr,
      env: isPlain ? { STRICLI_NO_COLOR: "1" } : {},
      exitCode: null as number | string | null,
    },
  };
  await runApplication(app, words, context);
  const code = Number(context.process.exitCode ?? 0);
  return code < 0 ? 2 : code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
