// SPDX-License-Identifier: Apache-2.0
// `export`: the assembled traces of a store, in a form that other tools read.

import { assembleAll } from "../../queries/assembly/assemble_all.ts";
import type { Trace } from "../../queries/assembly/trace.ts";
import { openStore, type Store } from "../../queries/store/store.ts";
import { type CliContext, Refusal } from "../cli/context.ts";
import type { ExportFlags, ExportFormat } from "../cli/commands/export.ts";
import { openTextOutput } from "../trace/text_output.ts";
import { chromeJson } from "./chrome_json.ts";
import { otlpJson } from "./otlp_json.ts";
import { readStoredSpans } from "./stored_spans.ts";
import { tracedLines } from "./traced_lines.ts";

/** Spans of a trace that began before the range may lie in it: so much earlier is read, too. */
const MARGIN_NS = 60_000_000_000n;
/** Text that is gathered before it is written. */
const CHUNK_CHARS = 256 * 1024;

export async function exportTraces(this: CliContext, flags: ExportFlags): Promise<void> {
  const { since, until } = flags;
  if (since !== undefined && until !== undefined && since >= until) {
    throw new Refusal("Cannot export: --since is not before --until");
  }
  let isWanted = true;
  await using output = await openTextOutput(flags.output, () => isWanted = false);
  const traces = await assembledTraces(flags);
  let text = "";
  for (const piece of formatted(flags.format, traces)) {
    text += piece;
    if (text.length < CHUNK_CHARS) continue;
    await output.write(text);
    text = "";
    if (!isWanted) return;
  }
  await output.write(text);
  if (flags.output === undefined) return;
  const spans = traces.reduce((sum, { nodes }) => sum + nodes.length, 0);
  this.process.stderr.write(`${traces.length} traces, ${spans} spans in ${flags.output}\n`);
}

/** The traces that begin within the range, whole. */
async function assembledTraces({ db, since, until }: ExportFlags): Promise<Trace[]> {
  await using store = await openForReading(db);
  const spans = await readStoredSpans(store, {
    ...(since === undefined ? {} : { sinceNs: since - MARGIN_NS }),
    ...(until === undefined ? {} : { untilNs: until + MARGIN_NS }),
  });
  return assembleAll(spans).filter(({ startNs }) =>
    (since === undefined || startNs >= since) && (until === undefined || startNs < until)
  );
}

async function openForReading(path: string): Promise<Store> {
  try {
    return await openStore({ path, readOnly: true });
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}

function formatted(format: ExportFormat, traces: readonly Trace[]): Iterable<string> {
  switch (format) {
    case "json":
      return tracedLines(traces);
    case "otlp":
      return otlpJson(traces);
    case "chrome":
      return chromeJson(traces);
  }
}
