// SPDX-License-Identifier: Apache-2.0
// `export --format pcapng`: a recording as packets, into a file or to standard output.

import { openReplay } from "../../../operators/sources/replay_source.ts";
import { type CliContext, Refusal } from "../../cli/context.ts";
import type { ExportFlags } from "../../cli/commands/export.ts";
import { countText } from "../../cli/terminal/quantity_text.ts";
import { type BlockOutput, openBlockOutput } from "./block_output.ts";
import { writePcapng, type Written } from "./write_pcapng.ts";

export async function exportPackets(context: CliContext, flags: ExportFlags): Promise<void> {
  const { since, until, output: path } = flags;
  const input = openRecording(recordingOf(flags));
  const stop = new AbortController();
  using output = openBlockOutput(path, () => stop.abort());
  const written = await writePcapng(
    input,
    {
      ...(since === undefined ? {} : { sinceNs: since }),
      ...(until === undefined ? {} : { untilNs: until }),
    },
    output.write,
    stop.signal,
  );
  output.flush();
  tellProblem(output);
  if (path !== undefined) context.process.stderr.write(`${summaryOf(written)} in ${path}\n`);
}

function recordingOf({ replay, db }: ExportFlags): string {
  if (replay === "-") {
    throw new Refusal("Cannot export standard input as pcapng: it is read twice; name a file");
  }
  if (replay !== undefined) return replay;
  throw new Refusal(
    `Cannot export pcapng${db === undefined ? "" : ` from ${db}`}: ` +
      "spans do not hold the bytes that passed, a recording does. " +
      "Make one with record FILE --whole, then export --format pcapng --replay FILE",
  );
}

function openRecording(path: string) {
  try {
    return openReplay(path);
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}

function tellProblem({ problem }: BlockOutput): void {
  if (problem() !== "") throw new Refusal(problem());
}

function summaryOf({ packets, clipped, interfaces, lost }: Written): string {
  const parts = [`${countText(packets)} packets of ${countText(interfaces)} programs`];
  if (clipped > 0) {
    parts.push(`${countText(clipped)} cut short (record --whole keeps 256 KiB of each call)`);
  }
  if (lost > 0) parts.push(`${countText(lost)} events were lost while recording`);
  return parts.join(", ");
}
