// SPDX-License-Identifier: Apache-2.0
// `export`: the assembled traces of a store, in a form that other tools read.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { ExportFlags, ExportFormat } from "../cli/commands/export.ts";
import { openForReading } from "../cli/open_for_reading.ts";
import { assemblyRulesOf } from "../cli/options/assembly_flags.ts";
import { countText } from "../cli/terminal/quantity_text.ts";
import { openTextOutput } from "../trace/text_output.ts";
import { chromeJson } from "./chrome_json.ts";
import { otlpJson } from "./otlp_json.ts";
import { readStoredTraces } from "./stored_traces.ts";
import type { TraceWriter } from "./trace_writer.ts";
import { tracedLines } from "./traced_lines.ts";

/** Text that is gathered before it is written. */
const CHUNK_CHARS = 256 * 1024;

export async function exportTraces(this: CliContext, flags: ExportFlags): Promise<void> {
  const { since, until } = flags;
  if (since !== undefined && until !== undefined && since >= until) {
    throw new Refusal("Cannot export: --since is not before --until");
  }
  if (flags.format === "pcapng") {
    const { exportPackets } = await import("./pcapng/export_packets.ts");
    return await exportPackets(this, flags);
  }
  const db = databaseOf(flags);
  let isWanted = true;
  await using output = await openTextOutput(flags.output, () => isWanted = false);
  await using store = await openForReading(db);
  const { startNs, batches } = await readStoredTraces(store, {
    ...(since === undefined ? {} : { sinceNs: since }),
    ...(until === undefined ? {} : { untilNs: until }),
  }, assemblyRulesOf(flags));
  const writer = WRITERS[flags.format]();
  let [traces, spans, text] = [0, 0, writer.begin(startNs)];
  for await (const batch of batches) {
    for (const piece of writer.write(batch)) {
      text += piece;
      if (text.length < CHUNK_CHARS) continue;
      await output.write(text);
      text = "";
      if (!isWanted) return;
    }
    traces += batch.length;
    spans += batch.reduce((sum, { nodes }) => sum + nodes.length, 0);
  }
  await output.write(text + writer.end());
  if (flags.output === undefined) return;
  this.process.stderr.write(
    `${countText(traces)} traces, ${countText(spans)} spans in ${flags.output}\n`,
  );
}

const WRITERS: Readonly<Record<Exclude<ExportFormat, "pcapng">, () => TraceWriter>> = {
  json: tracedLines,
  otlp: otlpJson,
  chrome: chromeJson,
};

function databaseOf({ db, replay, format }: ExportFlags): string {
  if (db !== undefined) return db;
  throw new Refusal(
    replay === undefined
      ? "Cannot export: name a DuckDB file with --db, or a recording with --replay for pcapng"
      : `Cannot export ${format} from a recording: make spans of it first, ` +
        `trace --replay ${replay} --db FILE, then export --db FILE`,
  );
}
