// SPDX-License-Identifier: Apache-2.0
// An open source with its outputs, as the driver pulls it.

import type { AnySource } from "../graph.ts";
import { type Nanos, TIME_MIN } from "../operator.ts";
import type { RunContext } from "./boundary.ts";
import type { Inlet } from "./inlet.ts";
import { dropCounter, type MeterCell } from "./meters.ts";
import { RECORDS_PER_SAMPLE, type Sampler, WATERMARKS_PER_SAMPLE } from "./sampler.ts";
import type { SinkQueue } from "./sink_queue.ts";

export interface RunningSource {
  readonly id: string;
  /** Records it may emit now before some queue downstream is full. */
  readonly room: () => number;
  /** Emits up to `recordsMax` records; throws what the source throws. */
  readonly pull: (recordsMax: number) => number;
  /** After an empty pull: true if nothing will come any more. */
  readonly done: (stopping: boolean) => boolean;
  readonly wait: (signal: AbortSignal) => Promise<void>;
  readonly stop: () => void;
  /** Ends everything downstream that has no other input. */
  readonly end: () => void;
  readonly dispose: () => void;
}

export function openSource(
  { sampler }: RunContext,
  meter: MeterCell,
  source: AnySource,
  main: Inlet,
  side: Inlet,
  blockers: readonly SinkQueue[],
): RunningSource {
  const stage = source.open({
    emit: sampledPush(sampler, main),
    side: side.push,
    drop: dropCounter(meter),
    advance: sampledAdvance(sampler, meter, [main, side]),
  });
  meter.held = () => stage.held?.() ?? 0;
  let disposed = false;
  return {
    id: meter.id,
    room: () => blockers.reduce((room, queue) => Math.min(room, queue.room), Infinity),
    pull: (recordsMax) => stage.pull(recordsMax),
    done: (stopping) => stage.done() || (stopping && stage.stop === undefined),
    wait: (signal) => stage.wait(signal),
    stop: () => stage.stop?.(),
    end() {
      main.end();
      side.end();
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      stage[Symbol.dispose]();
    },
  };
}

/** The outlet, timed for one record in many. */
function sampledPush(sampler: Sampler, main: Inlet): (record: unknown) => void {
  const { push } = main;
  let untilSample = RECORDS_PER_SAMPLE;
  return (record) => {
    if (--untilSample > 0) return push(record);
    untilSample = RECORDS_PER_SAMPLE;
    sampler.on = true;
    push(record);
    sampler.on = false;
  };
}

function sampledAdvance(
  sampler: Sampler,
  meter: MeterCell,
  outs: readonly Inlet[],
): (watermarkNs: Nanos) => void {
  let lastNs = TIME_MIN;
  let untilSample = WATERMARKS_PER_SAMPLE;
  return (watermarkNs) => {
    if (watermarkNs <= lastNs) return;
    lastNs = watermarkNs;
    meter.watermarkNs = watermarkNs;
    sampler.on = --untilSample === 0;
    if (sampler.on) untilSample = WATERMARKS_PER_SAMPLE;
    for (const out of outs) out.advance(watermarkNs);
    sampler.on = false;
  };
}
