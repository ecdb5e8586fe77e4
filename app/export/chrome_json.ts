// SPDX-License-Identifier: Apache-2.0
// Assembled traces in Chrome's trace format, which Perfetto and speedscope open: a process per
// service, a lane per nesting level that is free, an arrow from every caller to what it called.

import { formatId } from "../../model/span.ts";
import type { Trace, TraceNode } from "../../queries/assembly/trace.ts";
import type { TraceWriter } from "./trace_writer.ts";

/** Times are microseconds since the first span. */
export function chromeJson(): TraceWriter {
  const lanes = new Lanes();
  let startNs = 0n;
  return {
    begin(earliestNs) {
      startNs = earliestNs;
      return `{"displayTimeUnit":"ms","otherData":{"start_unix_ns":"${startNs}"},` +
        `"traceEvents":[\n{"name":"spandrel","ph":"M","pid":0,"tid":0,"args":{}}`;
    },
    *write(traces) {
      for (const trace of traces) yield* eventsOf(trace, lanes, startNs);
    },
    end: () => `\n]}\n`,
  };
}

function* eventsOf(trace: Trace, lanes: Lanes, startNs: bigint): Generator<string> {
  const places = new Map<TraceNode, Place>();
  for (const node of trace.nodes) {
    const place = lanes.place(node);
    places.set(node, place);
    if (place.isNewService) yield event(serviceName(node, place));
    yield event(slice(trace, node, place, startNs));
  }
  for (const node of trace.nodes) {
    for (const child of node.children) yield* arrow(node, child, places, startNs);
  }
}

interface Place {
  readonly pid: number;
  readonly tid: number;
  readonly isNewService: boolean;
}

/** Slices of one lane must nest; a span goes to the first lane of its service that is free. */
class Lanes {
  readonly #services = new Map<string, { readonly pid: number; readonly endNs: bigint[] }>();

  place({ span }: TraceNode): Place {
    const name = span.service || span.process;
    const known = this.#services.get(name);
    const service = known ?? { pid: this.#services.size + 1, endNs: [] };
    if (known === undefined) this.#services.set(name, service);
    const free = service.endNs.findIndex((endNs) => endNs <= span.start_unix_ns);
    const tid = free < 0 ? service.endNs.length : free;
    service.endNs[tid] = span.end_unix_ns;
    return { pid: service.pid, tid: tid + 1, isNewService: known === undefined };
  }
}

function event(fields: Readonly<Record<string, unknown>>): string {
  return `,\n${JSON.stringify(fields)}`;
}

function serviceName({ span }: TraceNode, { pid }: Place) {
  const name = span.service || span.process || "network";
  return { name: "process_name", ph: "M", pid, args: { name } };
}

function slice({ traceId }: Trace, { span, link }: TraceNode, place: Place, startNs: bigint) {
  return {
    name: span.name || span.protocol,
    cat: `${span.protocol},${span.kind}`,
    ph: "X",
    ts: microseconds(span.start_unix_ns - startNs),
    dur: microseconds(span.end_unix_ns - span.start_unix_ns),
    pid: place.pid,
    tid: place.tid,
    args: {
      trace_id: traceId,
      span_id: formatId(span.span_id),
      resource: span.resource,
      status: span.status,
      response_code: span.response_code,
      process: `${span.process} ${span.pid}`,
      peer: span.peer,
      ...(link === null ? {} : { link: `${link.evidence} ${link.confidence.toFixed(2)}` }),
    },
  };
}

function* arrow(
  parent: TraceNode,
  child: TraceNode,
  places: ReadonlyMap<TraceNode, Place>,
  startNs: bigint,
): Generator<string> {
  const [from, to] = [places.get(parent), places.get(child)];
  if (from === undefined || to === undefined) return;
  const id = formatId(child.span.span_id);
  const atNs = child.span.start_unix_ns - startNs;
  const common = { name: "calls", cat: "link", id };
  const fromNs = parent.span.start_unix_ns - startNs;
  const leaveNs = atNs > fromNs ? atNs : fromNs;
  yield event({ ...common, ph: "s", pid: from.pid, tid: from.tid, ts: microseconds(leaveNs) });
  yield event({ ...common, ph: "f", bp: "e", pid: to.pid, tid: to.tid, ts: microseconds(atNs) });
}

function microseconds(ns: bigint): number {
  return Number(ns) / 1_000;
}
