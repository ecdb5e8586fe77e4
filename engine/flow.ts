// SPDX-License-Identifier: Apache-2.0
// A flow: a typed description of where records come from and what is done with them.
//
// A flow is a value. Building one opens nothing and starts nothing; it can be handed around,
// extended in two directions, printed, drawn, and run as often as you like:
//
//     const lines = Flow.of(fromArray(["GET /a 200", "GET /b 500", "GET /a 200"]));
//     const hits = lines.map((line) => {
//       const [method, path, code] = line.split(" ");
//       return { method, path, ok: code === "200" };
//     }, "parse");
//     const [good, bad] = hits.branch((hit) => hit.ok, "ok");
//
//     const pages: string[] = [];
//     const run = runFlows([
//       good.map((hit) => hit.path ?? "").into(intoArray(pages)),
//       bad.into(forEach("alarm", (hit) => console.error("failed:", hit.path))),
//     ]);
//     await run.finished;                        // pages is ["/a", "/a"]; one line on stderr
//     console.log(printGraph(run.graph()));      // the same graph, now with counts
//
// What is shared runs once: `parse` above feeds both branches. A record is pushed through the
// whole graph by direct function calls before the next one is looked at, so two paths of one
// source that meet again (a join, a merge) meet in the source's order.

import type { Port, SinkNode } from "./graph.ts";
import type { Key, KeyedOperator, KeyRules } from "./keyed.ts";
import type { JoinOperator, Operator } from "./operator.ts";
import type { AsyncSink, QueueRules, Sink } from "./sink.ts";
import type { Source } from "./source.ts";
import type { WebPair } from "./web_streams.ts";
import type { Fold, Window } from "./windows.ts";

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

  /** Both flows in one, in order of arrival; the watermark is the smaller of the two. */
  merge<Other>(...others: readonly Flow<Other>[]): Flow<T | Other>;

  /** Meets another flow in an operator of two inputs; this one is the left. */
  join<Right, Out, Params, Side>(
    right: Flow<Right>,
    operator: JoinOperator<T, Right, Out, Params, Side>,
    ...params: Given<Params>
  ): StageFlow<Out, Side>;

  /** Groups by a key, for operators and windows with one state per key. */
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

  /** One result per key and window. Records without `timeOf` in `keyed` cannot be windowed. */
  window<Acc, Out>(window: Window, fold: Fold<K, T, Acc, Out>, name?: string): Flow<Out>;
}

/** A flow with a sink at its end. Pipelines run together share what they have in common. */
export interface Pipeline {
  readonly sink: SinkNode;
}
