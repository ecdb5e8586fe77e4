// SPDX-License-Identifier: Apache-2.0
// Reads public data with known parents, in which spans carry no thread: a file of JSON, gzipped or
// not, of services with their incoming and outgoing spans: a list, or one service a line.

import { jsonValues } from "./json_values.ts";
import type { ShapeCall, ShapeRequest } from "../../../operators/link/timeline/shape/path.ts";

export interface DataService {
  readonly name: string;
  /** Services that call it: several are left out by the published scorer. */
  readonly callers: number;
  /** Trace of each request. */
  readonly traces: readonly string[];
  /** What a solver may see. */
  readonly requests: readonly ShapeRequest[];
  readonly calls: readonly ShapeCall[];
  readonly callees: number;
  /** What it may not: the request of each call, -1 if it is not known. */
  readonly truth: Int32Array;
}

interface DataSpan {
  readonly id: string;
  readonly trace: string;
  readonly ep: string;
  readonly op: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly parent: string;
}

/** One service at a time: together they may take more memory than there is. */
export async function* readDataSet(path: string): AsyncGenerator<DataService> {
  let count = 0;
  for await (const value of jsonValues(await bytesOf(path))) {
    for (const entry of entriesIn(value)) yield serviceIn(entry, `service ${++count}`);
  }
  if (count === 0) throw new Error("it has no services");
}

/** A list of services may be wrapped: { "services": [ … ] }. */
function entriesIn(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [value];
  const wrapped: unknown = "services" in value ? value.services : value;
  return Array.isArray(wrapped) ? wrapped : [wrapped];
}

async function bytesOf(path: string): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path);
  const head = new Uint8Array(2);
  const isGzip = await file.read(head) === 2 && head[0] === 0x1f && head[1] === 0x8b;
  await file.seek(0, Deno.SeekMode.Start);
  return isGzip ? file.readable.pipeThrough(new DecompressionStream("gzip")) : file.readable;
}

export function serviceIn(entry: unknown, place: string): DataService {
  const service = recordIn(entry, place);
  const incoming = spansIn(service.incoming, `incoming spans of ${place}`);
  const outgoing = spansIn(service.outgoing, `outgoing spans of ${place}`);
  const kinds = numbering();
  const callees = numbering();
  const requests = incoming.map(({ op, startUs, endUs }) => ({ kind: kinds(op), startUs, endUs }));
  const calls = outgoing.map(({ ep, startUs, endUs }) => ({ callee: callees(ep), startUs, endUs }));
  return {
    name: String(service.service ?? place),
    callers: Number(service.in_eps ?? 1),
    traces: incoming.map(({ trace }) => trace),
    requests,
    calls,
    callees: new Set(outgoing.map(({ ep }) => ep)).size,
    truth: truthOf(incoming, outgoing),
  };
}

/** By trace; of a trace that a service serves several times, by id, as ids repeat in some sets. */
function truthOf(incoming: readonly DataSpan[], outgoing: readonly DataSpan[]): Int32Array {
  const byTrace = new Map<string, number[]>();
  for (const [i, { trace }] of incoming.entries()) {
    const served = byTrace.get(trace);
    if (served === undefined) byTrace.set(trace, [i]);
    else served.push(i);
  }
  return Int32Array.from(outgoing, ({ trace, parent }) => {
    const served = byTrace.get(trace) ?? [];
    if (served.length === 1) return served[0] ?? -1;
    return served.find((i) => incoming[i]?.id === parent) ?? -1;
  });
}

function numbering(): (name: string) => number {
  const known = new Map<string, number>();
  return (name) => {
    const number = known.get(name) ?? known.size;
    known.set(name, number);
    return number;
  };
}

/** None, if a service has none of a kind. */
function spansIn(list: unknown, place: string): DataSpan[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new Error(`${place} are no list`);
  return list.map((entry: unknown, i) => {
    const span = recordIn(entry, `number ${i + 1} of the ${place}`);
    const startUs = timeIn(span.start_us);
    const durationUs = timeIn(span.dur_us);
    if (startUs === null || durationUs === null) {
      throw new Error(`number ${i + 1} of the ${place} has no start_us or no dur_us`);
    }
    return {
      id: String(span.id),
      trace: String(span.trace),
      ep: String(span.ep),
      op: String(span.op),
      startUs,
      endUs: startUs + durationUs,
      parent: String(span.parent),
    };
  });
}

/** Some write numbers as text. */
function timeIn(value: unknown): number | null {
  const time = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof time === "number" && Number.isFinite(time) ? time : null;
}

function recordIn(value: unknown, place: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Error(`${place} is no object`);
}
