// SPDX-License-Identifier: Apache-2.0
// Reads public data with known parents, in which spans carry no thread: a file of JSON, gzipped or
// not, of services with their incoming and outgoing spans.

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

export async function readDataSet(path: string): Promise<DataService[]> {
  return servicesIn(JSON.parse(await textOf(path)));
}

export function servicesIn(parsed: unknown): DataService[] {
  if (!Array.isArray(parsed)) throw new Error("its JSON is no list of services");
  return parsed.map((entry: unknown, i) => serviceIn(entry, `service ${i + 1}`));
}

async function textOf(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const body = new Blob([bytes]).stream();
  return await new Response(isGzip ? body.pipeThrough(new DecompressionStream("gzip")) : body)
    .text();
}

function serviceIn(entry: unknown, place: string): DataService {
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

/** By trace; where a service serves a trace several times, by id, as ids repeat in some sets. */
function truthOf(incoming: readonly DataSpan[], outgoing: readonly DataSpan[]): Int32Array {
  const byTrace = new Map(incoming.map(({ trace }, i) => [trace, i]));
  const byId = new Map(incoming.map(({ id }, i) => [id, i]));
  const hasOneEach = byTrace.size === incoming.length;
  return Int32Array.from(
    outgoing,
    ({ trace, parent }) => (hasOneEach ? byTrace.get(trace) : byId.get(parent)) ?? -1,
  );
}

function numbering(): (name: string) => number {
  const known = new Map<string, number>();
  return (name) => {
    const number = known.get(name) ?? known.size;
    known.set(name, number);
    return number;
  };
}

function spansIn(list: unknown, place: string): DataSpan[] {
  if (!Array.isArray(list)) throw new Error(`${place} are no list`);
  return list.map((entry: unknown, i) => {
    const span = recordIn(entry, `number ${i + 1} of the ${place}`);
    const startUs = span.start_us;
    const durationUs = span.dur_us;
    if (!isTime(startUs) || !isTime(durationUs)) {
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

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function recordIn(value: unknown, place: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Error(`${place} is no object`);
}
