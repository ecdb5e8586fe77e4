// SPDX-License-Identifier: Apache-2.0
// The boundary around every stage: counts what goes in, times samples of it, and catches what the
// stage throws, so that a failure costs one record and never unwinds the stages upstream.

import type { Nanos } from "../operator.ts";
import type { DeadLetter, DeadLetterBox } from "./dead_letters.ts";
import type { Gate, Inlet } from "./inlet.ts";
import { inputGates } from "./inlet.ts";
import { type MeterCell, sampleCall } from "./meters.ts";
import type { Sampler } from "./sampler.ts";

/** What all boundaries of a run have in common. */
export interface RunContext {
  readonly letters: DeadLetterBox;
  readonly sampler: Sampler;
}

/** The part of a stage, a join or a sink that is the same for all its inputs. */
export interface Inner {
  readonly advance?: (watermarkNs: Nanos) => void;
  readonly end?: () => void;
  readonly held?: () => number;
  readonly watermark?: (watermarkNs: Nanos) => Nanos;
}

/** What takes the records of one input. Called as a method, so that a stage may be a class. */
export interface Taker {
  readonly push: (record: never) => void;
}

/** The inlets of a node, one per taker, in the same order. */
export function boundary(
  context: RunContext,
  meter: MeterCell,
  inner: Inner,
  takers: readonly Taker[],
  outs: readonly Inlet[],
): Inlet[] {
  const { sampler } = context;
  const failed = failureCounter(context.letters, meter);
  const advanceInner = (watermarkNs: Nanos): Nanos => {
    try {
      inner.advance?.(watermarkNs);
      const held = inner.held?.() ?? 0;
      if (held > meter.heldMax) meter.heldMax = held;
      return inner.watermark === undefined ? watermarkNs : inner.watermark(watermarkNs);
    } catch (cause) {
      failed("advance", undefined, cause);
      return watermarkNs;
    }
  };
  const advance = (watermarkNs: Nanos): void => {
    meter.watermarkNs = watermarkNs;
    meter.advances++;
    const toldNs = sampler.on
      ? sampleCall(sampler, meter, "advance", () => advanceInner(watermarkNs))
      : advanceInner(watermarkNs);
    meter.shiftNs = toldNs > watermarkNs ? toldNs - watermarkNs : 0n;
    for (const out of outs) out.advance(toldNs);
  };
  const end = (): void => {
    try {
      inner.end?.();
    } catch (cause) {
      failed("end", undefined, cause);
    }
    for (const out of outs) out.end();
  };
  meter.held = () => inner.held?.() ?? 0;
  const gates = inputGates(takers.length, advance, end);
  return takers.map((taker, input) => ({
    ...gates[input] as Gate,
    ...guarded(sampler, meter, taker as { push: (record: unknown) => void }, failed),
  }));
}

type Failed = (during: DeadLetter["during"], record: unknown, cause: unknown) => void;

function failureCounter(letters: DeadLetterBox, meter: MeterCell): Failed {
  return (during, record, cause) => {
    meter.failed++;
    letters.add({ node: meter.id, during, record, records: during === "push" ? 1 : 0, cause });
  };
}

function guarded(
  sampler: Sampler,
  meter: MeterCell,
  taker: { readonly push: (record: unknown) => void },
  failed: Failed,
): Pick<Inlet, "push" | "edge"> {
  const edge = { count: 0 };
  meter.inEdges.push(edge);
  const attempt = (record: unknown): void => {
    try {
      taker.push(record);
    } catch (cause) {
      failed("push", record, cause);
    }
  };
  // Apart: a function that makes a closure over its record allocates for it in every call.
  const timed = (record: unknown): void =>
    sampleCall(sampler, meter, "push", () => attempt(record));
  const push = (record: unknown): void => {
    edge.count++;
    if (sampler.on) return timed(record);
    try {
      taker.push(record);
    } catch (cause) {
      failed("push", record, cause);
    }
  };
  return { edge, push };
}
