// SPDX-License-Identifier: Apache-2.0
// The one stream of live capture: records of the kernel and facts of ours, decoded and recorded
// alike, in one order.

import type { SourceOutputs } from "../../../engine/source.ts";
import type { Capture, OnRecord } from "../../../ffi/capture.ts";
import type { Clock } from "../../../ffi/clock.ts";
import type { HostFiles } from "../../../ffi/host_files.ts";
import { type ProcessSeed, readCgroup } from "../../../ffi/process_list.ts";
import type { CaptureRecord } from "../../../model/capture_record.ts";
import type { DropReason } from "../../../model/drops.ts";
import type { Nanos } from "../../../model/time.ts";
import { recordDecoder } from "../record_decoder.ts";
import { encodeHostFact, type HostFact } from "../records/host_fact.ts";
import type { RecordingWriter } from "../recordings/recording_writer.ts";
import { CAPTURE_DISORDER_NS, watermarkSteps } from "../watermark_steps.ts";
import { readProcess } from "./read_process.ts";

/** What live capture needs of the host; tests give it another one. */
export interface LiveHost {
  readonly capture: Pick<Capture, "processes" | "drain" | "pause" | "wait" | "drops">;
  readonly files: HostFiles;
  readonly clock: Clock;
  /** Monotonic, for the rhythm of readings. */
  readonly nowMs: () => number;
}

export type LiveOutputs = SourceOutputs<CaptureRecord, never, DropReason>;

export interface LiveStream {
  /** Records passed on since it was last set to 0. */
  emitted: number;
  /** Time of the newest record passed on. */
  newestNs: Nanos;
  add(fact: HostFact, emitNs: Nanos): void;
  /** Takes a record of the ring. */
  readonly take: OnRecord;
}

/** Begins with a clock reading and the processes that are there. */
export function liveStream(
  host: LiveHost,
  writer: RecordingWriter | undefined,
  out: LiveOutputs,
): LiveStream {
  const { capture, files, clock } = host;
  const stepTo = watermarkSteps(CAPTURE_DISORDER_NS, out.advance);
  const decoder = recordDecoder({
    emit(record) {
      stream.emitted++;
      if (record.emitNs > stream.newestNs) stream.newestNs = record.emitNs;
      stepTo(record.emitNs);
      out.emit(record);
    },
    drop: out.drop,
  }, {
    ask: {
      process(tgid) {
        const seen = readProcess(files, tgid);
        if (seen !== null) stream.add(seen, stream.newestNs);
      },
      cgroup(tgid, id) {
        const path = readCgroup(files, tgid);
        if (path !== "") stream.add({ fact: "cgroup", id: `${id}`, path }, stream.newestNs);
      },
    },
  });

  const stream: LiveStream = {
    emitted: 0,
    newestNs: 0n,
    add(fact, emitNs) {
      const bytes = encodeHostFact(fact, emitNs);
      decoder.decode(bytes, new DataView(bytes.buffer), 0, bytes.length);
      writer?.append(bytes, 0, bytes.length);
    },
    take(view, at, size, bytes) {
      decoder.decode(bytes, view, at, size);
      // Behind the facts that it led to: a replay has no one to ask.
      writer?.append(bytes, at, size);
    },
  };
  const { bootNs, realNs } = clock.read();
  stream.add({ fact: "clock", bootNs: `${bootNs}`, realNs: `${realNs}` }, bootNs);
  for (const seed of capture.processes) stream.add(factOfSeed(seed), bootNs);
  // Records that wait in the ring are older than all this.
  stream.newestNs = 0n;
  return stream;
}

/** Characters kept of a command line: enough for a class path before the main class. */
const ARGS_CHARS_MAX = 4096;

function factOfSeed({ startNs, cgroupId, argv, ...facts }: ProcessSeed): HostFact {
  const kept = argv.join("\0").slice(0, ARGS_CHARS_MAX);
  return {
    fact: "seen",
    ...facts,
    argv: kept === "" ? [] : kept.split("\0"),
    startNs: `${startNs}`,
    cgroupId: `${cgroupId}`,
  };
}
