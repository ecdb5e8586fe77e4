// SPDX-License-Identifier: Apache-2.0
// The nodes a flow is described by: plain values, shared between flows, never running.
//
// Types of records are checked where a flow is built (flow.ts) and erased here; the erased forms
// below accept any operator, and only the run loop, which connects what was checked, opens them.

import type { JoinOperator, Operator } from "./operator.ts";
import type { AsyncSink, QueueRules, Sink } from "./sink.ts";
import type { Source } from "./source.ts";

export type AnySource = Source<unknown, unknown>;
export type AnyOperator = Operator<never, unknown, never, unknown>;
export type AnyJoin = JoinOperator<never, never, unknown, never, unknown>;
export type AnySink = Sink<never> | AsyncSink<never>;

/** A Web transform in the graph: made anew for every run, behind a queue of its own. */
export interface WebStage {
  readonly open: () => WebPair<never, unknown>;
  readonly queue: QueueRules;
}

/** Anything shaped like a TransformStream. */
export interface WebPair<In, Out> {
  readonly writable: WritableStream<In>;
  readonly readable: ReadableStream<Out>;
}

/** One output of a node. `other` is a branch's second output. */
export interface Port {
  readonly node: Node;
  readonly output: Output;
}

export type Output = "main" | "side" | "other";

export type Node =
  | { readonly kind: "source"; readonly name: string; readonly source: AnySource }
  | {
    readonly kind: "operator";
    readonly name: string;
    readonly operator: AnyOperator;
    readonly params: unknown;
    readonly input: Port;
  }
  | {
    readonly kind: "join";
    readonly name: string;
    readonly operator: AnyJoin;
    readonly params: unknown;
    readonly left: Port;
    readonly right: Port;
  }
  | {
    readonly kind: "branch";
    readonly name: string;
    readonly test: (record: never) => boolean;
    readonly input: Port;
  }
  | { readonly kind: "merge"; readonly name: string; readonly inputs: readonly Port[] }
  | {
    readonly kind: "web";
    readonly name: string;
    readonly stage: WebStage;
    readonly input: Port;
  }
  | {
    readonly kind: "sink";
    readonly name: string;
    readonly sink: AnySink;
    readonly input: Port;
  };

export type SinkNode = Extract<Node, { kind: "sink" }>;

/** The ports a node reads from, in the order it names them. */
export function inputsOf(node: Node): readonly Port[] {
  switch (node.kind) {
    case "source":
      return [];
    case "join":
      return [node.left, node.right];
    case "merge":
      return node.inputs;
    default:
      return [node.input];
  }
}

/** All nodes that a set of nodes depends on, themselves included, upstream before downstream. */
export function nodesInOrder(ends: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  const order: Node[] = [];
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const input of inputsOf(node)) visit(input.node);
    order.push(node);
  };
  for (const end of ends) visit(end);
  return order;
}

/** A unique id for each node: its name, with `#2`, `#3` where a name occurs again. */
export function nameNodes(nodes: readonly Node[]): Map<Node, string> {
  const uses = new Map<string, number>();
  const ids = new Map<Node, string>();
  for (const node of nodes) {
    const use = (uses.get(node.name) ?? 0) + 1;
    uses.set(node.name, use);
    ids.set(node, use === 1 ? node.name : `${node.name}#${use}`);
  }
  return ids;
}

/** A graph for printing and metering: ids instead of references. */
export interface Graph {
  /** Upstream before downstream. */
  readonly nodes: readonly GraphNode[];
}

export interface GraphNode {
  /** Unique in the graph, and the id of the node's meter. */
  readonly id: string;
  readonly kind: Node["kind"];
  readonly limits: readonly string[];
  readonly inputs: readonly GraphInput[];
}

export interface GraphInput {
  readonly from: string;
  readonly output: Output;
}

export function describeGraph(ends: readonly Node[]): Graph {
  const nodes = nodesInOrder(ends);
  const ids = nameNodes(nodes);
  const idOf = (node: Node): string => ids.get(node) ?? node.name;
  return {
    nodes: nodes.map((node) => ({
      id: idOf(node),
      kind: node.kind,
      limits: limitsOf(node),
      inputs: inputsOf(node).map((port) => ({ from: idOf(port.node), output: port.output })),
    })),
  };
}

function limitsOf(node: Node): readonly string[] {
  switch (node.kind) {
    case "source":
      return node.source.limits;
    case "operator":
    case "join":
      return node.operator.limits;
    case "sink":
      return node.sink.limits;
    default:
      return [];
  }
}
