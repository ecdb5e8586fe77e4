// SPDX-License-Identifier: Apache-2.0
// A recording as a pcapng file: what programs wrote and read, as packets that Wireshark opens.
//
// The recording is read twice: first for which sockets belong together and where sequence numbers
// begin, then for the packets. Memory does not grow with the length of the recording but for some
// bytes per socket.

import { Flow } from "../../../engine/flow.ts";
import { run } from "../../../engine/run.ts";
import { forEach } from "../../../engine/sink.ts";
import type { Source } from "../../../engine/source.ts";
import type { StreamRecord } from "../../../model/byte_run.ts";
import { type CaptureRecord, isSocketRecord } from "../../../model/capture_record.ts";
import type { Nanos } from "../../../model/time.ts";
import { clockLine } from "../../../operators/enrichment/clock_line.ts";
import { reassemble } from "../../../operators/reassemble.ts";
import type { RecordingHeader } from "../../../operators/sources/recordings/recording_header.ts";
import { datagrams } from "./datagrams.ts";
import { packetOut } from "./packet_out.ts";
import { lossBlock, nameBlock, sectionBlock } from "./pcapng_blocks.ts";
import { type SocketSurvey, socketSurvey } from "./socket_survey.ts";
import { streamFlows } from "./stream_flows.ts";
import { timeOrder } from "./time_order.ts";

export interface PcapngInput {
  readonly header: RecordingHeader;
  /** Can be opened twice. */
  readonly source: Source<CaptureRecord>;
}

export interface PcapngRange {
  /** Unix time; the end is not included. */
  readonly sinceNs?: Nanos;
  readonly untilNs?: Nanos;
}

export interface Written {
  readonly packets: number;
  /** Packets with less payload than the program moved. */
  readonly clipped: number;
  readonly interfaces: number;
  /** Events that the kernel side or reassembly had to give up. */
  readonly lost: number;
}

/** `write` takes whole blocks, in order; false stops. */
export async function writePcapng(
  { header, source }: PcapngInput,
  range: PcapngRange,
  write: (block: Uint8Array) => void,
  signal?: AbortSignal,
): Promise<Written> {
  const survey = await surveyOf(source, signal);
  write(sectionOf(header));
  const clock = clockLine();
  const order = timeOrder(write);
  const unixNs = (bootNs: Nanos) => bootNs + clock.offsetNs(bootNs);
  const out = packetOut({ ...range, write, order, unixNs });
  const streams = streamFlows(survey, (address, path) => write(nameBlock(address, path)));
  const singles = datagrams();
  let lost = 0, lastNs = 0n;

  const takeStream = (record: StreamRecord): void => {
    if (record.connection.transport === "udp") {
      if (record.kind === "bytes") singles.add(record, out);
    } else if (record.kind === "bytes") streams.add(record, out);
    else streams.end(record, out);
  };
  const takeFact = (record: CaptureRecord): void => {
    lastNs = record.emitNs;
    if (record.kind === "clock") clock.read(record.bootNs, record.realNs);
    else if (record.kind === "loss" && LOSSES.has(record.reason)) lost += record.count;
  };
  const records = Flow.of(source);
  const running = run([
    records.into(forEach("facts", takeFact)),
    records.filter(isSocketRecord).through(reassemble).into(forEach("packets", takeStream)),
  ], signal === undefined ? {} : { signal });
  await running.finished;
  streams.flush(out);
  order.end();
  if (lost > 0 && out.interfaces > 0) write(lossBlock(unixNs(lastNs), lost));
  const { packets, clipped, interfaces } = out;
  return { packets, clipped, interfaces, lost };
}

/** Losses of whole events; the others are of payload only. */
const LOSSES: ReadonlySet<string> = new Set([
  "ring_full",
  "kernel_storage",
  "recursion_miss",
  "enter_without_exit",
  "mmsg",
]);

async function surveyOf(
  source: PcapngInput["source"],
  signal: AbortSignal | undefined,
): Promise<SocketSurvey> {
  const survey = socketSurvey();
  const look = forEach<CaptureRecord>("survey", (record) => {
    if (record.kind === "data") survey.take(record);
  });
  await run(Flow.of(source).into(look), signal === undefined ? {} : { signal }).finished;
  return survey;
}

function sectionOf({ host, version, path, started }: RecordingHeader): Uint8Array {
  return sectionBlock({
    hardware: host.machine,
    system: `Linux ${host.kernel}`,
    application: `Spandrel ${version}`,
    comment: `Made of socket calls recorded on ${host.name} (${path} path) from ${started}: ` +
      "packets hold what programs wrote and read, not how the network carried it. " +
      "An interface is a program, a comment tells the call.",
  });
}
