// SPDX-License-Identifier: Apache-2.0
// All benches, one after the other, or those that are named. Ratios within one run mean something;
// absolute numbers belong to the machine they were taken on, which is printed first.

import { type Need, requires } from "../support/requirements.ts";

interface Bench {
  readonly name: string;
  readonly what: string;
  readonly needs: readonly Need[];
  readonly run: () => Promise<string>;
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
    what: "each protocol on its fixture, the probes, tshark on the same packets",
    needs: [],
    run: async () => {
      const { formatProtocolsReport, protocolsBench } = await import("./protocols.ts");
      return formatProtocolsReport(await protocolsBench());
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

function help(): string {
  return [
    "Usage: deno task bench [NAME…]",
    "",
    "Measures, and prints what was measured. Without a name: all, in about five minutes.",
    "",
    ...BENCHES.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`),
    "",
    "Examples:",
    "  deno task bench",
    "  deno task bench probe slowdown",
  ].join("\n");
}

async function main(words: readonly string[]): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) {
    console.log(help());
    return 0;
  }
  const unknown = words.find((word) => !BENCHES.some(({ name }) => name === word));
  if (unknown !== undefined) {
    const names = BENCHES.map(({ name }) => name).join(", ");
    console.error(`Cannot run bench ${unknown}: there are ${names}`);
    return 2;
  }
  console.log(`${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}\n`);
  let failures = 0;
  for (const { name, needs, run } of BENCHES) {
    if (words.length > 0 && !words.includes(name)) continue;
    const reason = needs.map(requires).find((each) => each !== null) ?? null;
    if (reason !== null) {
      console.log(`${name}: skipped, ${reason}\n`);
      continue;
    }
    try {
      console.log(`${name}\n${await run()}\n`);
    } catch (error) {
      failures++;
      console.error(`${name}: failed: ${error instanceof Error ? error.message : error}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
