// SPDX-License-Identifier: Apache-2.0
// Where records come from: this host's kernel, a recording, or a capture file.

import type { Source } from "../../engine/source.ts";
import type { CaptureRecord } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import type { KernelSource } from "../../operators/sources/kernel_source.ts";
import type { HostFacts } from "../../operators/sources/recordings/recording_header.ts";
import type { CaptureFlags } from "../cli/options/capture_flags.ts";
import { Refusal } from "../cli/context.ts";

export interface RecordSource extends Disposable {
  readonly source: Source<CaptureRecord, never, DropReason>;
  readonly host: HostFacts;
  /** What is traced, for titles: "whole host", "port 80", a file's name. */
  readonly scope: string;
  /** How: "fast path", "portable path", "recording", "packets". */
  readonly path: string;
  /** Present where records come live. */
  readonly kernel: KernelSource | null;
}

export interface SourceFlags extends CaptureFlags {
  readonly replay?: string;
  readonly pcap?: string;
  /** Live capture: all bytes of each call, as far as the kernel side can copy. */
  readonly whole?: boolean;
}

/** Bytes of one call, of a socket of which nothing is known, and of a socket within a second. */
const WHOLE = {
  payloadBytesFirst: 16_384,
  payloadBytesLater: 16_384,
  pendingBytesMax: 67_108_864,
  secondBytesMax: 67_108_864,
} as const;

/** Throws a Refusal when there is nothing to read from, or no right to it. */
export async function openRecordSource(flags: SourceFlags): Promise<RecordSource> {
  try {
    if (flags.replay !== undefined) return await fromRecording(flags.replay);
    if (flags.pcap !== undefined) return await fromPackets(flags.pcap);
    return await fromKernel(flags);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** What went wrong with a source is told in its own sentence; a bug of ours keeps its stack. */
export function asRefusal(error: unknown): unknown {
  return error instanceof Error && error.message.startsWith("Cannot ")
    ? new Refusal(error.message)
    : error;
}

async function fromKernel(flags: SourceFlags): Promise<RecordSource> {
  const { openKernelSource } = await import("../../operators/sources/kernel_source.ts");
  const { pid, comm, port, payloadBytes, turns, probes, nodeContext } = flags;
  const kernel = openKernelSource({
    ...(pid === undefined ? {} : { tgids: pid }),
    ...(comm === undefined ? {} : { comm }),
    ...(port === undefined ? {} : { ports: port }),
    ...(payloadBytes === undefined ? {} : { payloadBytesFirst: payloadBytes }),
    ...(turns === undefined ? {} : { turns }),
    ...(probes === undefined ? {} : { probes }),
    ...(nodeContext === undefined ? {} : { nodeContext }),
    ...(flags.whole === true ? WHOLE : {}),
  });
  return {
    source: kernel.source,
    host: kernel.host,
    scope: scopeOf(flags),
    path: `${kernel.capture.path} path`,
    kernel,
    [Symbol.dispose]: () => kernel[Symbol.dispose](),
  };
}

async function fromRecording(file: string): Promise<RecordSource> {
  const { openReplay } = await import("../../operators/sources/replay_source.ts");
  const { source, header } = openReplay(file);
  return { source, host: header.host, ...fileFacts(file, "recording") };
}

async function fromPackets(file: string): Promise<RecordSource> {
  const { pcap } = await import("../../operators/sources/pcap.ts");
  const host = { name: "", bootId: "", kernel: "", machine: "" };
  return { source: pcap(file), host, ...fileFacts(file, "packets") };
}

function fileFacts(file: string, path: string) {
  return { scope: file, path, kernel: null, [Symbol.dispose]() {} };
}

export function scopeOf({ pid, comm, port }: CaptureFlags): string {
  const parts = [
    ...(pid === undefined ? [] : [`pid ${pid.join(", ")} and descendants`]),
    ...(comm === undefined ? [] : [`processes named ${comm}`]),
    ...(port === undefined ? [] : [`port ${port.join(", ")}`]),
  ];
  return parts.length === 0 ? "whole host" : parts.join("; ");
}
