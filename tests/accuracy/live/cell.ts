// SPDX-License-Identifier: Apache-2.0
// One cell of the matrix: one program, fresh, under so many clients, traced by the kernel, compared
// with its own log.

import { freePort } from "../../support/ports.ts";
import { runSpandrel, type SpanLine, spansIn, startSpandrel } from "../../support/spandrel.ts";
import { driveLoad } from "./load.ts";
import type { Program } from "./programs.ts";
import { readCallLog, scoreSpans, type SpanScore } from "./score_spans.ts";
import type { Ends } from "./start_program.ts";
import { writeRecordedRun } from "./write_recorded_run.ts";

export interface CellOptions {
  readonly clients: number;
  /** Calls to measure, about a tenth more. */
  readonly links: number;
  /** Requests of one client before the load, which are not counted. */
  readonly quietRequests: number;
  /** The tracer is asked for --node-context. */
  readonly nodeContext: boolean;
  /** Folder for recordings; null: traced live, nothing is kept. */
  readonly keep: string | null;
}

export interface Cell {
  readonly program: string;
  readonly clients: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** What the tracer said it had lost, or nothing. */
  readonly lost: string;
  readonly score: SpanScore;
}

export async function runCell(
  program: Program,
  ends: Ends,
  { clients, links, quietRequests, nodeContext, keep }: CellOptions,
): Promise<Cell> {
  const folder = await Deno.makeTempDir({ prefix: "spandrel-accuracy-" });
  try {
    const [port, innerPort, deepPort] = [freePort(), freePort(), freePort()];
    const [output, log] = [`${folder}/spans.ndjson`, `${folder}/${logName}`];
    const ports = [port, innerPort, deepPort, ...endPorts(ends)].join(",");
    const recording = `${folder}/recording`;
    const words = keep === null
      ? [...traceWords, "--output", output, "--port", ports]
      : ["record", recording, "--port", ports];
    const asked = nodeContext ? [...words, "--node-context"] : words;
    await using tracer = await startSpandrel(asked, { whenTracing: true, stopMs: 30_000 });
    await using running = await program.start({ port, innerPort, deepPort, ends, log, folder });
    const load = { port, plans: program.plans, ...program.load };
    await driveLoad({ ...load, clients: 1, requests: quietRequests });
    const requests = Math.ceil(1.1 * links / meanCalls(program.plans));
    const startMs = performance.now();
    const tokens = await driveLoad({ ...load, clients, requests });
    const seconds = (performance.now() - startMs) / 1000;
    await workIsDone(folder);
    await tracer.stop();
    await running[Symbol.asyncDispose]();
    const callLog = readCallLog(await readLogs(folder));
    if (keep !== null) {
      await runSpandrel([...traceWords, "--output", output, "--replay", recording]);
      const name = `${keep}/${program.name}_at_${clients}.events.gz`;
      await writeRecordedRun(name, recording, { port, log: callLog });
    }
    const spans: readonly SpanLine[] = spansIn(await Deno.readTextFile(output));
    return {
      program: program.name,
      clients,
      requests: tokens.size,
      requestsPerSecond: Math.round(tokens.size / seconds),
      lost: /dropped: .*/.exec(tracer.stderr())?.[0] ?? "",
      score: scoreSpans(spans, callLog, tokens),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const traceWords = ["trace", "--json", "--keep-payload"] as const;

const endPorts = ({ redis, leaf, postgres, dns }: Ends) => [redis, leaf, postgres, dns];

/** Calls per request, on average over the plans. */
function meanCalls(plans: readonly string[]): number {
  const letters = plans.join("").replace(/[^rhpdcxn]/g, "").length;
  return letters / plans.length;
}

/** What goes on after the answers is logged as it is begun: until nothing more is. */
async function workIsDone(folder: string): Promise<void> {
  let before = "";
  for (let i = 0; i < looksMax; i++) {
    const log = await readLogs(folder);
    if (log === before) return;
    before = log;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

const lookMs = 250;
const looksMax = 40;

/** The program may be several, each with a log of its own. */
async function readLogs(folder: string): Promise<string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith(logName));
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${folder}/${name}`)));
  return texts.join("");
}

const logName = "calls.log";
