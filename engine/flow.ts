// SPDX-License-Identifier: Apache-2.0
// A flow: a typed description of where records come from and what is done with them.
//
// A flow is a value. Building one opens nothing and starts nothing; it can be handed around,
// extended in two directions, printed, drawn, and run as often as its source can be opened:
//
//     const lines = Flow.of(fromArray(["GET /a 200", "GET /b 500", "GET /a 200"]));
//     const hits = lines.map((line) => {
//       const [method, path, code] = line.split(" ");
//       return { method, path, ok: code === "200" };
//     }, "parse");
//     const [good, bad] = hits.branch((hit) => hit.ok, "ok");
//
//     const pages: string[] = [];
//     const running = run([
//       good.map((hit) => hit.path ?? "").into(intoArray(pages)),
//       bad.into(forEach("alarm", (hit) => console.error("failed:", hit.path))),
//     ]);
//     await running.finished;                    // pages is ["/a", "/a"]; one line on stderr
//     console.log(printGraph(running.graph, { now: running.meters() }));
//
// What is shared runs once: `parse` above feeds both branches. A record is pushed through the
// whole graph by direct function calls before the next one is looked at, so two paths of one
// source that meet again (a join, a merge) meet in the source's order.

import { type AnyJoin, type AnyOperator, describeGraph, type Graph, type Node } from "./graph.ts";
import type { Output, Port, SinkNode, WebPair } from "./graph.ts";
import { type Key, type KeyedOperator, keyedStage, type KeyRules } from "./keyed.ts";
import type { JoinOperator, Nanos, Operator } from "./operator.ts";
import { type AsyncSink, type QueueRules, type Sink, WEB_QUEUE } from "./sink.ts";
import { fromArray, type Source } from "./source.ts";
import type { Fold, MergingFold, SessionWindow, TumblingWindow } from "./windowing/windows.ts";
import { sessionOperator, tumblingOperator } from "./windowing/windows.ts";

/** No argument for an operator without parameters, exactly one for all others. */
export type Given<Params> = [Params] extends [void] ? [] : [params: Params];

export interface Flow<out T> {
  readonly port: Port;

  /** Places an operator behind this flow. The operator's side output is `.side` of the result. */
  through<Out, Params, Side>(
    operator: Operator<T, Out, Params, Side>,
    ...params: Given<Params>
  ): StageFlow<Out, Side>;

  map<Out>(change: (record: T) => Out, name?: string): Flow<Out>;
  /** Zero or more records for each. */
  flatMap<Out>(change: (record: T) => Iterable<Out>, name?: string): Flow<Out>;
  filter<Kept extends T>(keep: (record: T) => record is Kept, name?: string): Flow<Kept>;
  filter(keep: (record: T) => boolean, name?: string): Flow<T>;

  /** Splits a flow in two: the records that pass the test, and the others. */
  branch<Yes extends T>(
    test: (record: T) => record is Yes,
    name?: string,
  ): [yes: Flow<Yes>, no: Flow<Exclude<T, Yes>>];
  branch(test: (record: T) => boolean, name?: string): [yes: Flow<T>, no: Flow<T>];

  /** Several flows in one, in order of arrival; the watermark is the smallest of theirs. */
  merge<Other>(...others: readonly Flow<Other>[]): Flow<T | Other>;

  /** Meets another flow in an operator of two inputs; this one is the left. */
  join<Right, Out, Params, Side>(
    right: Flow<Right>,
    operator: JoinOperator<T, Right, Out, Params, Side>,
    ...params: Given<Params>
  ): StageFlow<Out, Side>;

  /** Groups by a key, for operators with one state per key; with `timeOf` also for windows. */
  keyed<K extends Key>(
    keyOf: (record: T) => K,
    rules: KeyRules<T> & { readonly timeOf: (record: T) => Nanos },
  ): TimedKeyedFlow<K, T>;
  keyed<K extends Key>(keyOf: (record: T) => K, rules?: KeyRules<T>): KeyedFlow<K, T>;

  /** Through a Web transform stream; a function, because every run needs a fresh one. */
  throughWeb<Out>(open: () => WebPair<T, Out>, name?: string, queue?: QueueRules): Flow<Out>;

  /** Ends the flow in a sink, which makes it something that can run. */
  into(sink: Sink<T> | AsyncSink<T>): Pipeline;
}

/** A flow out of an operator, with its side output. */
export interface StageFlow<out T, out Side> extends Flow<T> {
  readonly side: Flow<Side>;
}

export interface KeyedFlow<K extends Key, out T> {
  through<State, Out, Params, Side>(
    operator: KeyedOperator<K, T, State, Out, Params, Side>,
    ...params: Given<Params>
  ): StageFlow<Out, Side>;
}

export interface TimedKeyedFlow<K extends Key, out T> extends KeyedFlow<K, T> {
  /** One result per key and window, emitted when the watermark has passed the window. */
  window<Acc, Out>(
    window: TumblingWindow,
    fold: Fold<K, T, Acc, Out>,
    name?: string,
  ): Flow<Out>;
  window<Acc, Out>(
    window: SessionWindow,
    fold: MergingFold<K, T, Acc, Out>,
    name?: string,
  ): Flow<Out>;
}

/** A flow with a sink at its end. Pipelines run together share what they have in common. */
export interface Pipeline {
  readonly sink: SinkNode;
}

export const Flow = {
  /** The records of a source. */
  of<T, Side>(source: Source<T, Side>): StageFlow<T, Side> {
    return stageFlow({ kind: "source", name: source.name, source });
  },
  /** Records in memory; `timeOf` gives them watermarks. */
  from<T>(records: readonly T[], timeOf?: (record: T) => Nanos): Flow<T> {
    return Flow.of(fromArray(records, timeOf));
  },
};

/** The graph of pipelines and flows, for `printGraph`, without running them. */
export function graphOf(...parts: readonly (Pipeline | Flow<unknown>)[]): Graph {
  return describeGraph(parts.map((part) => "sink" in part ? part.sink : part.port.node));
}

function flowAt<T>(port: Port): Flow<T> {
  const keep = (test: (record: T) => boolean, name = test.name || "filter") =>
    flowAt<never>(stateless<T>(port, name, (emit) => (record) => test(record) && emit(record)));
  const branch = (
    test: (record: T) => boolean,
    name = test.name || "branch",
  ): [Flow<never>, Flow<never>] => {
    const node: Node = { kind: "branch", name, test, input: port };
    return [flowAt<never>(portOf(node)), flowAt<never>(portOf(node, "other"))];
  };
  const keyed = <K extends Key>(keyOf: (record: T) => K, rules: KeyRules<T> = {}) =>
    keyedFlow(port, keyOf, rules);
  return {
    port,
    through: (operator, ...params) => operatorFlow(port, operator, params[0]),
    map: (change, name = change.name || "map") =>
      flowAt(stateless<T>(port, name, (emit) => (record) => emit(change(record)))),
    flatMap: (change, name = change.name || "flat_map") =>
      flowAt(stateless<T>(port, name, (emit) => (record) => {
        for (const made of change(record)) emit(made);
      })),
    filter: keep,
    branch: branch as Flow<T>["branch"],
    merge: (...others) => {
      const inputs = [port, ...others.map((other) => other.port)];
      return flowAt(portOf({ kind: "merge", name: "merge", inputs }));
    },
    join: (right, operator, ...params) =>
      stageFlow({
        kind: "join",
        name: operator.name,
        operator: operator as AnyJoin,
        params: params[0],
        left: port,
        right: right.port,
      }),
    keyed: keyed as Flow<T>["keyed"],
    throughWeb: (open, name = "web_stream", queue = WEB_QUEUE) =>
      flowAt(portOf({ kind: "web", name, stage: { open, queue }, input: port })),
    into: (sink) => ({ sink: { kind: "sink", name: sink.name, sink, input: port } }),
  };
}

function portOf(node: Node, output: Output = "main"): Port {
  return { node, output };
}

function stageFlow<T, Side>(node: Node): StageFlow<T, Side> {
  return { ...flowAt<T>(portOf(node)), side: flowAt<Side>(portOf(node, "side")) };
}

function operatorFlow<T, Side>(
  input: Port,
  operator: AnyOperator,
  params: unknown,
): StageFlow<T, Side> {
  return stageFlow({ kind: "operator", name: operator.name, operator, params, input });
}

function keyedFlow<K extends Key, T>(
  port: Port,
  keyOf: (record: T) => K,
  rules: KeyRules<T>,
): KeyedFlow<K, T> | TimedKeyedFlow<K, T> {
  const { timeOf } = rules;
  const flow: KeyedFlow<K, T> = {
    through: (operator, ...params) =>
      operatorFlow(port, keyedStage(operator, keyOf, rules), params[0]),
  };
  if (timeOf === undefined) return flow;
  const window = <Acc, Out>(
    window: TumblingWindow | SessionWindow,
    fold: Fold<K, T, Acc, Out> | MergingFold<K, T, Acc, Out>,
    name?: string,
  ): Flow<Out> => {
    const placed = { ...rules, keyOf, timeOf };
    const operator = window.kind === "tumbling"
      ? tumblingOperator(window, fold, placed, name)
      : sessionOperator(window, fold as MergingFold<K, T, Acc, Out>, placed, name);
    return operatorFlow(port, operator, undefined);
  };
  return { ...flow, window };
}

/** The port of an operator that keeps nothing between records. */
function stateless<In>(
  input: Port,
  name: string,
  pushTo: (emit: (made: unknown) => void) => (record: In) => void,
): Port {
  const operator: Operator<In, unknown> = {
    name,
    limits: [],
    open: (_params, { emit }) => ({
      push: pushTo(emit),
      advance() {},
      end() {},
      held: () => 0,
    }),
  };
  return portOf({ kind: "operator", name, operator, params: undefined, input });
}
