// SPDX-License-Identifier: Apache-2.0
// What each node of a running graph counts, and the snapshot of it that others read.

import { type Nanos, TIME_MIN } from "../operator.ts";
import type { Graph } from "../graph.ts";
import type { Sampler } from "./sampler.ts";

/** Counts of one node since the run began. */
export interface NodeMeter {
  readonly id: string;
  readonly in: number;
  /** Records on the main output; for a branch, those that passed. */
  readonly out: number;
  /** Records on the side output; for a branch, those that did not pass. */
  readonly side: number;
  readonly drops: Readonly<Record<string, number>>;
  /** Records and calls that ended in the dead letters. */
  readonly failed: number;
  /** What the stage holds, or what waits before an async sink. */
  readonly held: number;
  /** The most it held at any watermark. */
  readonly heldMax: number;
  /** Own time per record taken in, sampled, without what is downstream; NaN before a sample. */
  readonly nsPerRecord: number;
  /** Undefined before the first watermark. */
  readonly watermarkNs: Nanos | undefined;
  /**
   * How far the node's watermark is behind that of the source that is furthest ahead. What a
   * stage adds to the watermark to change the epoch of time does not count.
   */
  readonly lagNs: Nanos;
}

export interface Snapshot {
  /** Real time since the run began. */
  readonly elapsedMs: number;
  /** Real time spent pulling, which includes everything synchronous. */
  readonly busyMs: number;
  readonly nodes: readonly NodeMeter[];
}

/** Records that went along one edge of the graph. */
export interface Edge {
  count: number;
}

/** The mutable side of a node's meter. */
export interface MeterCell {
  readonly id: string;
  readonly inEdges: Edge[];
  outEdge: Edge | undefined;
  sideEdge: Edge | undefined;
  readonly drops: Map<string, number>;
  failed: number;
  heldMax: number;
  held: () => number;
  samples: number;
  sampledMs: number;
  advances: number;
  advanceSamples: number;
  advanceSampledMs: number;
  watermarkNs: Nanos;
  /** What the node adds to its watermark before it tells it downstream; 0 if it holds it back. */
  shiftNs: Nanos;
}

export function newMeter(id: string): MeterCell {
  return {
    id,
    inEdges: [],
    outEdge: undefined,
    sideEdge: undefined,
    drops: new Map(),
    failed: 0,
    heldMax: 0,
    held: () => 0,
    samples: 0,
    sampledMs: 0,
    advances: 0,
    advanceSamples: 0,
    advanceSampledMs: 0,
    watermarkNs: TIME_MIN,
    shiftNs: 0n,
  };
}

/** The `drop` function of a node. */
export function dropCounter(meter: MeterCell): (reason: string, n?: number) => void {
  return (reason, n = 1) => void meter.drops.set(reason, (meter.drops.get(reason) ?? 0) + n);
}

/** Calls a stage and adds its own time to the meter; see `Sampler`. */
export function sampleCall<Result>(
  sampler: Sampler,
  meter: MeterCell,
  kind: "push" | "advance",
  call: () => Result,
): Result {
  const outerMs = sampler.innerMs;
  sampler.innerMs = 0;
  const startMs = performance.now();
  const result = call();
  const spentMs = performance.now() - startMs;
  const ownMs = Math.max(0, spentMs - sampler.innerMs - sampler.readMs);
  sampler.innerMs = outerMs + spentMs + sampler.readMs;
  if (kind === "push") {
    meter.samples++;
    meter.sampledMs += ownMs;
  } else {
    meter.advanceSamples++;
    meter.advanceSampledMs += ownMs;
  }
  return result;
}

/** All meters, in the order of the graph's nodes, which they belong to one by one. */
export function readMeters(graph: Graph, meters: readonly MeterCell[]): NodeMeter[] {
  let newestNs = TIME_MIN;
  for (const [index, { kind }] of graph.nodes.entries()) {
    const { watermarkNs } = meters[index] ?? { watermarkNs: TIME_MIN };
    if (kind === "source" && watermarkNs > newestNs) newestNs = watermarkNs;
  }
  const shifts = new Map<string, Nanos>(); // of all nodes from the sources to a node's output
  return meters.map((meter, index) => {
    const [input] = graph.nodes[index]?.inputs ?? [];
    const shiftNs = shifts.get(input?.from ?? "") ?? 0n;
    shifts.set(meter.id, shiftNs + meter.shiftNs);
    return readMeter(meter, newestNs + shiftNs);
  });
}

function readMeter(meter: MeterCell, newestNs: Nanos): NodeMeter {
  const taken = meter.inEdges.reduce((sum, edge) => sum + edge.count, 0);
  const held = meter.held();
  const known = meter.watermarkNs !== TIME_MIN;
  return {
    id: meter.id,
    in: taken,
    out: meter.outEdge?.count ?? 0,
    side: meter.sideEdge?.count ?? 0,
    drops: Object.fromEntries(meter.drops),
    failed: meter.failed,
    held,
    heldMax: Math.max(held, meter.heldMax),
    nsPerRecord: ownNsPerRecord(meter, taken),
    watermarkNs: known ? meter.watermarkNs : undefined,
    lagNs: known && newestNs > meter.watermarkNs ? newestNs - meter.watermarkNs : 0n,
  };
}

function ownNsPerRecord(meter: MeterCell, taken: number): number {
  if (meter.samples === 0 || taken === 0) return NaN;
  const pushMs = meter.sampledMs / meter.samples;
  const advanceMs = meter.advanceSamples === 0
    ? 0
    : meter.advanceSampledMs / meter.advanceSamples * meter.advances;
  return (pushMs + advanceMs / taken) * 1e6;
}
