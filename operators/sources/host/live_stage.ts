// SPDX-License-Identifier: Apache-2.0
// The running part of live capture: drains the ring, reads the clocks between drains, and tells
// event time also while nothing happens.

import type { SourceStage } from "../../../engine/source.ts";
import type { ClockReading } from "../../../ffi/clock.ts";
import type { Nanos } from "../../../model/time.ts";
import type { RecordingWriter } from "../recordings/recording_writer.ts";
import { type LiveHost, type LiveOutputs, liveStream } from "./live_stream.ts";
import { lossCounter } from "./loss_counter.ts";

/** How often both clocks are read: in general, at the latest under overload, and in a pause. */
const CLOCK_MS = 1_000;
const CLOCK_OVERDUE_MS = 5_000;
const HEARTBEAT_MS = 100;
/** A pause is so long: event time goes on in it, so that what waits for event time comes out. */
const PAUSE_MS = 2_000;

export function liveStage(
  host: LiveHost,
  writer: RecordingWriter | undefined,
  out: LiveOutputs,
): SourceStage {
  const { capture, clock } = host;
  const stream = liveStream(host, writer, out);
  const lossesSince = lossCounter();
  let clockMs = host.nowMs();
  let recordMs = clockMs;
  let lossMs = clockMs;
  let inPause = false;
  let stopNs: Nanos | null = null;
  let over = false;
  let detaching: Promise<void> | null = null;
  let isDetached = false;
  const sleep = waiting(capture, () => inPause ? HEARTBEAT_MS : CLOCK_MS);

  /** The clock was read before the drain that found `raw` records; has that emptied the ring? */
  function tell(reading: ClockReading, emptied: boolean, nowMs: number): void {
    if (!emptied && !over && nowMs - clockMs < CLOCK_OVERDUE_MS) return;
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
      const nowMs = host.nowMs();
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
    done: () => over && isDetached,
    wait: (signal) => over && detaching !== null ? detaching : sleep(signal),
    stop() {
      stopNs ??= clock.bootNs();
      // What comes from now on is not asked for: the ring empties, however busy the host is.
      detaching ??= capture.pause().finally(() => isDetached = true);
    },
    [Symbol.dispose]() {},
  };
}

/**
 * Sleeps until the ring wakes us, or for the given time. A sleep that is left early goes on in the
 * background and is joined by the next one.
 */
function waiting(capture: LiveHost["capture"], sleepMs: () => number) {
  let sleep: Promise<void> | null = null;
  return async (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
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
