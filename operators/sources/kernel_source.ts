// SPDX-License-Identifier: Apache-2.0
// Source: the kernel's ring, live. Adds to it what only user space knows: clock readings, the
// processes that were there before, names of cgroups, and what the kernel had to drop. All of it
// passes as records, so a recording made beside the capture replays to the same result.

import type { Source, SourceOutputs, SourceStage } from "../../engine/source.ts";
import { type Capture, type CaptureOptions, openCapture } from "../../ffi/capture.ts";
import { type Clock, type ClockReading, openClock } from "../../ffi/clock.ts";
import { type HostFiles, openHostFiles } from "../../ffi/host_files.ts";
import { openLibc } from "../../ffi/libc.ts";
import { type ProcessSeed, readCgroup } from "../../ffi/process_list.ts";
import type { CaptureRecord } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import type { Nanos } from "../../model/time.ts";
import type { VerdictFor } from "../../model/verdict.ts";
import { readHostFacts } from "./host/host_facts.ts";
import { readProcess } from "./host/read_process.ts";
import { lossCounter } from "./host/loss_counter.ts";
import { verdictFeedback } from "./host/verdict_feedback.ts";
import { recordDecoder } from "./record_decoder.ts";
import { encodeHostFact, type HostFact } from "./records/host_fact.ts";
import type { HostFacts } from "./recordings/recording_header.ts";
import type { RecordingWriter } from "./recordings/recording_writer.ts";
import { CAPTURE_DISORDER_NS, watermarkSteps } from "./watermark_steps.ts";

export interface KernelSource extends Disposable {
  /** Opened once per capture. */
  readonly source: Source<CaptureRecord, never, DropReason>;
  readonly host: HostFacts;
  readonly capture: Capture;
  /** Tells the kernel what to copy of a socket from now on. */
  apply(verdict: VerdictFor): void;
  /** Writes all records beside passing them on. Call before the run starts. */
  recordInto(writer: RecordingWriter): void;
}

/** Attaches to the kernel at once: records wait in the ring until the run pulls them. */
export function openKernelSource(options: CaptureOptions = {}): KernelSource {
  using stack = new DisposableStack();
  const libc = stack.use(openLibc());
  const files = openHostFiles(libc);
  const capture = stack.use(openCapture(options));
  const host: LiveHost = { capture, files, clock: openClock(libc) };
  const verdicts = verdictFeedback(capture);
  let writer: RecordingWriter | undefined;
  let opened = false;
  const owned = stack.move();
  return {
    source: {
      name: "kernel",
      limits: ["connections", "programs"],
      open(out) {
        if (opened) throw new Error("Cannot read the kernel's ring: it is being read already");
        opened = true;
        return openStage(host, writer, {
          ...out,
          emit(record) {
            if (record.kind === "close") verdicts.forget(record.connection);
            out.emit(record);
          },
        });
      },
    },
    host: readHostFacts(files),
    capture,
    apply: verdicts.apply,
    recordInto(into) {
      if (opened) throw new Error("Cannot record this capture: it is running already");
      writer = into;
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

interface LiveHost {
  readonly capture: Capture;
  readonly files: HostFiles;
  readonly clock: Clock;
}

type Out = SourceOutputs<CaptureRecord, never, DropReason>;

/** How often both clocks are read: in general, at the latest under overload, and in a pause. */
const CLOCK_MS = 1_000;
const CLOCK_OVERDUE_MS = 5_000;
const HEARTBEAT_MS = 100;
/** A pause is so long: event time goes on in it, so that what waits for event time comes out. */
const PAUSE_MS = 2_000;

function openStage(host: LiveHost, writer: RecordingWriter | undefined, out: Out): SourceStage {
  const { capture, clock } = host;
  const stream = openStream(host, writer, out);
  const lossesSince = lossCounter();
  let clockMs = performance.now();
  let recordMs = clockMs;
  let lossMs = clockMs;
  let inPause = false;
  let stopNs: Nanos | null = null;
  let over = false;

  /** The clock was read before the drain that found `raw` records; has that emptied the ring? */
  function tell(reading: ClockReading, emptied: boolean, nowMs: number): void {
    if (!emptied && nowMs - clockMs < CLOCK_OVERDUE_MS) return;
    clockMs = nowMs;
    // Never older than a record that went before it, nor newer than one that still waits.
    const { newestNs } = stream;
    const emitNs = emptied && reading.bootNs > newestNs ? reading.bootNs : newestNs;
    const { bootNs, realNs } = reading;
    stream.add({ fact: "clock", bootNs: `${bootNs}`, realNs: `${realNs}` }, emitNs);
    if (nowMs - lossMs < CLOCK_MS && !over) return;
    lossMs = nowMs;
    for (const loss of lossesSince(capture.drops())) stream.add(loss, emitNs);
    writer?.flush();
  }

  return {
    pull(recordsMax) {
      if (over) return 0;
      const nowMs = performance.now();
      const due = nowMs - clockMs >= (inPause ? HEARTBEAT_MS : CLOCK_MS);
      const reading = due || stopNs !== null ? clock.read() : null;
      stream.emitted = 0;
      const raw = capture.drain(stream.take, recordsMax);
      if (raw > 0) recordMs = nowMs;
      inPause = raw === 0 && nowMs - recordMs < PAUSE_MS;
      over = stopNs !== null && (raw === 0 || stream.newestNs >= stopNs);
      if (reading !== null) tell(reading, raw < recordsMax, nowMs);
      return stream.emitted;
    },
    done: () => over,
    wait: waiting(capture, () => inPause ? HEARTBEAT_MS : CLOCK_MS),
    stop() {
      stopNs ??= clock.bootNs();
    },
    [Symbol.dispose]() {},
  };
}

/**
 * Sleeps until the ring wakes us, or for the given time. A sleep that is left early goes on in the
 * background and is joined by the next one.
 */
function waiting(capture: Capture, sleepMs: () => number) {
  let sleep: Promise<void> | null = null;
  return async (signal: AbortSignal): Promise<void> => {
    sleep ??= capture.wait().finally(() => sleep = null);
    const { promise: early, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, sleepMs());
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort);
    try {
      await Promise.race([sleep, early]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  };
}

/** The one stream of records of the kernel and facts of ours, decoded and recorded alike. */
function openStream(host: LiveHost, writer: RecordingWriter | undefined, out: Out) {
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

  const stream = {
    emitted: 0,
    newestNs: 0n,
    add(fact: HostFact, emitNs: Nanos): void {
      const bytes = encodeHostFact(fact, emitNs);
      decoder.decode(bytes, new DataView(bytes.buffer), 0, bytes.length);
      writer?.append(bytes, 0, bytes.length);
    },
    take(view: DataView, at: number, size: number): void {
      decoder.decode(capture.bytes, view, at, size);
      // Behind the facts that it led to: a replay has no one to ask.
      writer?.append(capture.bytes, at, size);
    },
  };
  const { bootNs, realNs } = clock.read();
  stream.add({ fact: "clock", bootNs: `${bootNs}`, realNs: `${realNs}` }, bootNs);
  stream.newestNs = 0n;
  for (const seed of capture.processes) stream.add(factOfSeed(seed), bootNs);
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
