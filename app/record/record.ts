// SPDX-License-Identifier: Apache-2.0
// `record`: the raw records of this host into a file, for trace --replay.

import type { VerdictFor } from "../../model/verdict.ts";
import { createRecording } from "../../operators/sources/recordings/recording_writer.ts";
import { type CliContext, Refusal } from "../cli/context.ts";
import type { RecordFlags } from "../cli/commands/record.ts";
import { bytesText, countText } from "../cli/terminal/quantity_text.ts";
import { onInterrupt } from "../trace/ending/interrupts.ts";
import { asRefusal, openRecordSource, type RecordSource } from "../trace/record_source.ts";
import { countsText } from "../trace/run_report.ts";
import { startTracing } from "../trace/start_tracing.ts";

const PROGRESS_MS = 1_000;

export async function record(this: CliContext, flags: RecordFlags, file: string): Promise<void> {
  const whole = flags.whole === true;
  using opened = await openRecordSource(whole ? { ...flags, whole } : flags);
  const source = whole ? copyingAll(opened) : opened;
  const { kernel, host, path } = source;
  if (kernel === null) throw new Refusal("Cannot record a recording: it is one already");
  const header = {
    host,
    version: "0.1.0",
    path: path.replace(" path", ""),
    started: new Date().toISOString(),
  };
  await using writer = await createRecording(file, header).catch((error) => {
    throw asRefusal(error);
  });
  kernel.recordInto(writer);
  // Up to the verdicts, which decide what the kernel copies of a socket, the pipeline runs along.
  await using tracing = startTracing(source, { outputs: () => [] });
  const stop = () => void tracing.stop();
  using _interrupts = onInterrupt(stop);
  const duration = flags.duration === undefined ? undefined : setTimeout(stop, flags.duration);
  const { stderr } = this.process;
  const isTerminal = Deno.stderr.isTerminal();
  const say = (end: string) => {
    const { bytesWritten, recordsWritten, recordsLost } = writer.progress;
    const lost = recordsLost > 0 ? `, ${countText(recordsLost)} not written` : "";
    const size = bytesText(bytesWritten);
    stderr.write(
      `${isTerminal ? "\r\x1b[K" : ""}Recording ${source.scope} to ${file}: ` +
        `${countText(recordsWritten)} records, ${size}${lost}${end}`,
    );
  };
  const progress = setInterval(() => {
    if (isTerminal) say("");
    if (writer.progress.problem !== null) stop();
  }, PROGRESS_MS);
  stderr.write(`Recording ${source.scope} to ${file} (${path}). Ctrl-C stops.\n`);
  await tracing.finished;
  clearInterval(progress);
  clearTimeout(duration);
  await writer[Symbol.asyncDispose]();
  say("\n");
  if (writer.progress.problem !== null) throw new Refusal(writer.progress.problem);
  const counts = tracing.counts();
  if (counts.drops.length > 0) stderr.write(`${countsText(counts)}\n`);
}

/** Whatever the pipeline thinks of a socket, all of its bytes are copied. */
function copyingAll(source: RecordSource): RecordSource {
  const { kernel } = source;
  if (kernel === null) return source;
  const apply = ({ connection }: VerdictFor) => kernel.apply({ connection, verdict: "whole" });
  return { ...source, kernel: { ...kernel, apply } };
}
