// SPDX-License-Identifier: Apache-2.0
// Opens every node of a graph, downstream first, and connects each output to what reads it.

import { inputsOf, nameNodes, type Node, nodesInOrder, type Output } from "../graph.ts";
import type { Join, Nanos, Stage } from "../operator.ts";
import { boundary, type RunContext, type Taker } from "./boundary.ts";
import type { DeadLetterBox } from "./dead_letters.ts";
import { fanOut, type Inlet, inputGates, nowhere } from "./inlet.ts";
import { dropCounter, type MeterCell, newMeter } from "./meters.ts";
import { newSampler } from "./sampler.ts";
import { openSource, type RunningSource } from "./running_source.ts";
import { SinkQueue } from "./sink_queue.ts";
import { openWebBridge } from "./web_bridge.ts";

/** A graph with everything open, which the driver sets in motion. */
export interface Connected {
  readonly sources: readonly RunningSource[];
  readonly queues: readonly { readonly id: string; readonly queue: SinkQueue }[];
  readonly meters: readonly MeterCell[];
}

interface Reader {
  readonly node: Node;
  readonly input: number;
}

interface Connecting {
  readonly context: RunContext;
  readonly changed: () => void;
  readonly ids: Map<Node, string>;
  readonly inlets: Map<Node, readonly Inlet[]>;
  /** The blocking queues that a record entering a node can reach without an async boundary. */
  readonly blockers: Map<Node, ReadonlySet<SinkQueue>>;
  readonly readers: (node: Node, output: Output) => Reader[];
  readonly sources: RunningSource[];
  readonly queues: { id: string; queue: SinkQueue }[];
  readonly meters: MeterCell[];
}

/** `changed` is called when a queue has room again or a source has news. */
export function connect(
  ends: readonly Node[],
  letters: DeadLetterBox,
  changed: () => void,
): Connected {
  const nodes = nodesInOrder(ends);
  const connecting: Connecting = {
    context: { letters, sampler: newSampler() },
    changed,
    ids: nameNodes(nodes),
    inlets: new Map(),
    blockers: new Map(),
    readers: readersOf(nodes),
    sources: [],
    queues: [],
    meters: [],
  };
  try {
    for (const node of nodes.toReversed()) connecting.inlets.set(node, open(connecting, node));
  } catch (cause) {
    for (const { queue } of connecting.queues) queue.abort();
    for (const source of connecting.sources) source.dispose();
    throw cause;
  }
  connecting.meters.reverse();
  connecting.sources.reverse();
  return connecting;
}

function readersOf(nodes: readonly Node[]): Connecting["readers"] {
  const readers = new Map<Node, Map<Output, Reader[]>>();
  for (const node of nodes) {
    for (const [input, port] of inputsOf(node).entries()) {
      const outputs = readers.get(port.node) ?? new Map<Output, Reader[]>();
      readers.set(port.node, outputs);
      outputs.set(port.output, [...outputs.get(port.output) ?? [], { node, input }]);
    }
  }
  return (node, output) => readers.get(node)?.get(output) ?? [];
}

/** What the node's output calls. */
function outletOf(connecting: Connecting, node: Node, output: Output): Inlet {
  const inlets = connecting.readers(node, output).map((reader) =>
    connecting.inlets.get(reader.node)?.[reader.input] ?? nowhere()
  );
  return fanOut(inlets);
}

function open(connecting: Connecting, node: Node): readonly Inlet[] {
  const { context } = connecting;
  const meter = newMeter(connecting.ids.get(node) ?? node.name);
  connecting.meters.push(meter);
  const main = outletOf(connecting, node, "main");
  const side = outletOf(connecting, node, node.kind === "branch" ? "other" : "side");
  meter.outEdge = main.edge;
  meter.sideEdge = side.edge;
  connecting.blockers.set(node, reachable(connecting, node));
  const outs = [main, side];
  const out = { emit: main.push, side: side.push, drop: dropCounter(meter) };
  switch (node.kind) {
    case "source":
      openNodeSource(connecting, node, meter, main, side);
      return [];
    case "operator": {
      const stage: Stage<never> = node.operator.open(node.params as never, out);
      return boundary(context, meter, stage, [stage], outs);
    }
    case "join": {
      const join: Join<never, never> = node.operator.open(node.params as never, out);
      const left: Taker = { push: (record) => join.left(record) };
      const right: Taker = { push: (record) => join.right(record) };
      return boundary(context, meter, join, [left, right], outs);
    }
    case "branch": {
      const sort: Taker = { push: (record) => (node.test(record) ? main : side).push(record) };
      return boundary(context, meter, {}, [sort], outs);
    }
    case "merge":
      return openMerge(meter, node.inputs.length, main);
    case "web":
      return openWeb(connecting, node, meter, main);
    case "sink":
      return openSink(connecting, node, meter);
  }
}

function reachable(connecting: Connecting, node: Node): ReadonlySet<SinkQueue> {
  const queues = new Set<SinkQueue>();
  for (const output of ["main", "side", "other"] as const) {
    for (const reader of connecting.readers(node, output)) {
      for (const queue of connecting.blockers.get(reader.node) ?? []) queues.add(queue);
    }
  }
  return queues;
}

function openNodeSource(
  connecting: Connecting,
  node: Extract<Node, { kind: "source" }>,
  meter: MeterCell,
  main: Inlet,
  side: Inlet,
): void {
  const blockers = [...connecting.blockers.get(node) ?? []];
  const { source } = node;
  connecting.sources.push(openSource(connecting.context, meter, source, main, side, blockers));
}

function openMerge(meter: MeterCell, inputs: number, main: Inlet): Inlet[] {
  const advance = (watermarkNs: Nanos): void => {
    meter.watermarkNs = watermarkNs;
    main.advance(watermarkNs);
  };
  return inputGates(inputs, advance, main.end).map((gate) => {
    const edge = { count: 0 };
    meter.inEdges.push(edge);
    const push = (record: unknown): void => {
      edge.count++;
      main.push(record);
    };
    return { ...gate, edge, push };
  });
}

function openSink(
  connecting: Connecting,
  node: Extract<Node, { kind: "sink" }>,
  meter: MeterCell,
): Inlet[] {
  const { sink } = node;
  const out = { drop: dropCounter(meter) };
  if (sink.kind === "sink") {
    const stage = sink.open(out);
    return boundary(connecting.context, meter, stage, [stage], []);
  }
  const queue = openQueue(connecting, meter, sink.queue, sink.open(out));
  if (sink.queue.whenFull === "block") connecting.blockers.set(node, new Set([queue]));
  const inner = { end: () => queue.close(), held: () => queue.length };
  return boundary(connecting.context, meter, inner, [takerOf(queue)], []);
}

function openQueue(
  { context, queues, changed }: Connecting,
  meter: MeterCell,
  rules: ConstructorParameters<typeof SinkQueue>[0],
  stage: ConstructorParameters<typeof SinkQueue>[1],
): SinkQueue {
  const queue = new SinkQueue(rules, stage, {
    failed([record], records, cause) {
      meter.failed += records;
      context.letters.add({ node: meter.id, during: "write", record, records, cause });
    },
    dropped: dropCounter(meter),
    changed,
  });
  queues.push({ id: meter.id, queue });
  return queue;
}

/** The node is a sink to what is upstream and, with a life of its own, a source downstream. */
function openWeb(
  connecting: Connecting,
  node: Extract<Node, { kind: "web" }>,
  meter: MeterCell,
  main: Inlet,
): Inlet[] {
  const { context, sources } = connecting;
  const bridge = openWebBridge(node.name, node.stage.open());
  const blockers = [...connecting.blockers.get(node) ?? []];
  const queue = openQueue(connecting, meter, node.stage.queue, bridge.sink);
  connecting.blockers.set(node, new Set([queue]));
  const reading = newMeter(meter.id); // the node's own meter tells the writing side
  sources.push(openSource(context, reading, bridge.source, main, nowhere(), blockers));
  const inner = {
    advance: (watermarkNs: Nanos) => bridge.advance(watermarkNs, queue.accepted),
    end: () => queue.close(),
    held: () => queue.length + bridge.ahead(),
  };
  return boundary(context, meter, inner, [takerOf(queue)], []);
}

function takerOf(queue: SinkQueue): Taker {
  return { push: (record) => queue.offer(record) };
}
