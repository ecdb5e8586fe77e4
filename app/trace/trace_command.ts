// SPDX-License-Identifier: Apache-2.0
// `trace -- COMMAND`: strace for services. Capture of the whole host starts, the command runs, and
// what it took part in is shown when it has ended.

import { readApplicationSpans } from "./application_spans.ts";
import { knownProtocols } from "../protocols/known_protocols.ts";
import { forEach } from "../../engine/sink.ts";
import type { CaptureRecord, ProcessFact } from "../../model/capture_record.ts";
import type { TraceFlags } from "../cli/commands/trace.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { spanLine } from "../export/span_json.ts";
import { openFindings } from "../findings/findings.ts";
import { ProcessTree } from "./process_tree.ts";
import type { RecordSource } from "./record_source.ts";
import { type RecentTrace, RecentTraces } from "../views/recent_traces.ts";
import { countsText } from "./run_report.ts";
import { END_MS_MAX, startTracing } from "./start_tracing.ts";
import { openStoreFor } from "./trace_store.ts";
import { openTextOutput } from "./text_output.ts";
import { waterfallLines } from "../views/waterfall_text.ts";

/** Spans of the whole host that are remembered while the command runs. */
const SPANS_MAX = 200_000;
/** Exit codes of shells for a program that is not there, and for one that cannot be started. */
const NOT_FOUND = 127, NOT_STARTED = 126;
const COLUMNS_OF_FILES = 120;

/** Returns the exit code: the command's, 128+n when signal n killed it. */
export async function traceCommand(
  input: RecordSource,
  command: readonly string[],
  flags: TraceFlags,
): Promise<number> {
  using source = input;
  const traces = new RecentTraces({ spansMax: SPANS_MAX });
  const forks: ProcessFact[] = [];
  let tree: ProcessTree | undefined;
  await using output = flags.output === undefined
    ? null
    : await openTextOutput(flags.output, () => {});
  await using store = openStoreFor(source, flags);
  const findings = openFindings(source.kernel);
  await using tracing = startTracing(source, {
    outputs: ({ records, spans, checks }) => [
      ...(store === null ? [] : findings.outputs({ records, spans, checks })),
      spans.into(forEach("kept", (revision) => traces.add(revision, 0n))),
      records.filter(isProcessFact, "is_process").into(forEach("process_tree", (fact) => {
        if (tree === undefined) forks.push(fact);
        else tree.add(fact);
      })),
      ...(store === null ? [] : [spans.into(store.sink)]),
    ],
    ...(flags.protocol === undefined ? {} : { protocols: flags.protocol }),
    keepPayload: flags.keepPayload === true,
    known: await knownProtocols(flags),
    ...(flags.service === undefined ? {} : { services: flags.service }),
    ...await readApplicationSpans(flags),
  });
  const status = await runCommand(command, flags.duration, (pid) => {
    tree = new ProcessTree(pid);
    for (const fact of forks) tree.add(fact);
    forks.length = 0;
  });
  await tracing.stop(store === null ? undefined : END_MS_MAX);
  const { drops } = tracing.counts();
  const closed = store?.close(undefined, (opened) => findings.keep(opened, drops));
  source[Symbol.dispose](); // while the store, another thread, writes what is left
  await closed;
  if (tree === undefined) return status; // it did not start, which has been told
  const family = tree;
  const kept = traces.unsettled()
    .filter(({ spans }) => spans.some(({ span }) => family.has(span.pid)))
    .sort((a, b) => Number(a.root.start_unix_ns - b.root.start_unix_ns));
  const text = flags.json === true ? jsonText(kept) : waterfallText(kept, flags.output);
  if (output === null) await writeToStderr(text);
  else await output.write(text);
  const counts = tracing.counts();
  if (counts.drops.length > 0) console.error(countsText(counts));
  const problem = store?.problem() ?? "";
  if (problem !== "") console.error(problem);
  if (traces.forgotten > 0) console.error(`${traces.forgotten} older spans were not kept.`);
  return status;
}

/** Interrupts of the terminal reach the command by themselves; it decides when we end. */
async function runCommand(
  [program = "", ...args]: readonly string[],
  durationMs: number | undefined,
  started: (pid: number) => void,
): Promise<number> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args, stdin: "inherit" }).spawn();
  } catch (error) {
    console.error(`Cannot run ${program}: ${reasonOf(error)}`);
    return error instanceof Deno.errors.NotFound ? NOT_FOUND : NOT_STARTED;
  }
  started(child.pid);
  const forward = () => child.kill("SIGTERM");
  const wait = () => {};
  Deno.addSignalListener("SIGINT", wait);
  Deno.addSignalListener("SIGTERM", forward);
  const timer = durationMs === undefined ? undefined : setTimeout(forward, durationMs);
  const { code } = await child.status;
  clearTimeout(timer);
  Deno.removeSignalListener("SIGINT", wait);
  Deno.removeSignalListener("SIGTERM", forward);
  return code;
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such program";
  if (error instanceof Deno.errors.PermissionDenied) return "it is not a program, or not yours";
  return error instanceof Error ? error.message : String(error);
}

function waterfallText(traces: readonly RecentTrace[], path: string | undefined): string {
  const isTerminal = path === undefined && Deno.stderr.isTerminal();
  const paint = paintFor(isTerminal, (name) => Deno.env.get(name));
  const columns = isTerminal ? Deno.consoleSize().columns : COLUMNS_OF_FILES;
  if (traces.length === 0) return "No request or call of the command was seen.\n";
  return traces.map(({ spans }) => {
    const lines = waterfallLines(spans.map(({ span }) => span), columns, paint);
    return `\n${lines.join("\n")}\n`;
  }).join("");
}

function jsonText(traces: readonly RecentTrace[]): string {
  return traces.flatMap(({ spans }) => spans.map(({ span }) => spanLine(span))).join("");
}

async function writeToStderr(text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stderr.write(bytes));
}

function isProcessFact(record: CaptureRecord): record is ProcessFact {
  return record.kind === "process";
}
