// SPDX-License-Identifier: Apache-2.0
// `trace`: checks what was asked for and hands over to the way of showing it.

import { type CliContext, EXIT, Refusal } from "../cli/context.ts";
import type { TraceFlags } from "../cli/commands/trace.ts";
import { openRecordSource } from "./record_source.ts";

export async function trace(this: CliContext, flags: TraceFlags): Promise<void> {
  const command = this.afterDashes;
  refuseContradictions(flags, command);
  await refuseUnknownProtocols(flags.protocol ?? []);
  const isLive = isLiveViewWanted(flags, command);
  const input = await openRecordSource(flags);
  if (command !== null) {
    const { traceCommand } = await import("./trace_command.ts");
    this.process.exitCode = await traceCommand(input, command, flags);
    return;
  }
  const { streamTraces } = await import("./stream_traces.ts");
  const { viewTraces } = isLive ? await import("./view_traces.ts") : { viewTraces: null };
  await (viewTraces ?? streamTraces)(input, flags);
  this.process.exitCode = EXIT.ok;
}

/** The live view needs a terminal at both ends, and nothing that wants the output for itself. */
function isLiveViewWanted(flags: TraceFlags, command: readonly string[] | null): boolean {
  const isTerminal = Deno.stdout.isTerminal() && Deno.stdin.isTerminal();
  if (flags.tui === true && !isTerminal) {
    throw new Refusal("Cannot show the live view: input and output are not a terminal");
  }
  const wantsOutput = flags.json === true || flags.pipeline !== undefined ||
    flags.output !== undefined || command !== null;
  if (flags.tui === true && wantsOutput) {
    throw new Refusal(
      "Cannot show the live view beside other output: leave out --tui, or --json, --pipeline, " +
        "--output and the command",
    );
  }
  const isFile = flags.replay !== undefined || flags.pcap !== undefined;
  return isTerminal && !wantsOutput && (flags.tui ?? !isFile);
}

function refuseContradictions(flags: TraceFlags, command: readonly string[] | null): void {
  const isFile = flags.replay !== undefined || flags.pcap !== undefined;
  if (flags.replay !== undefined && flags.pcap !== undefined) {
    throw new Refusal("Cannot read two sources: choose --replay or --pcap");
  }
  if (flags.json === true && flags.pipeline !== undefined) {
    throw new Refusal(
      "Cannot print spans and the results of a pipeline: choose --json or --pipeline",
    );
  }
  const limits = (["pid", "comm", "port", "payloadBytes"] as const)
    .filter((name) => flags[name] !== undefined);
  if (isFile && limits.length > 0) {
    const names = limits.map((name) => `--${name === "payloadBytes" ? "payload-bytes" : name}`);
    throw new Refusal(
      `Cannot limit capture with ${names.join(", ")}: a file was captured already; ` +
        "use --protocol, or jq on --json",
    );
  }
  if (command === null) return;
  if (command.length === 0) {
    throw new Refusal("Cannot run a command: there is none after --");
  }
  if (isFile) throw new Refusal("Cannot run a command: a file is read instead of this host");
  if (flags.json === true && flags.output === undefined) {
    throw new Refusal(
      "Cannot print spans beside the command's own output: add --output FILE to --json",
    );
  }
}

async function refuseUnknownProtocols(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const { PROTOCOLS } = await import("../../operators/protocols/registry.gen.ts");
  const known = PROTOCOLS.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Refusal(
    `Cannot show ${unknown}: there is no such protocol here; known are ${known.join(", ")}`,
  );
}
