// SPDX-License-Identifier: Apache-2.0
// The public entry, "spandrel": what a custom pipeline is written with.
//
// A pipeline is a file that default-exports a function from a flow of spans to a flow of plain
// objects. `deno task trace --pipeline FILE` runs it on live traffic and prints what comes out,
// one JSON object per line; with `--replay RECORDING` it runs on a recording. See examples/.
// The flow holds every span once, when its exchange has ended; its time is end_unix_ns.

export type { Span } from "./model/span.ts";
export { formatId, SPAN_COLUMNS } from "./model/span.ts";
export type { Observer, Shape, SpanKind, Status } from "./model/status.ts";
export { HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND } from "./model/time.ts";

export { Flow, graphOf } from "./engine/flow.ts";
export type { KeyedFlow, Pipeline, StageFlow, TimedKeyedFlow } from "./engine/flow.ts";
export type { Join, JoinOperator, Nanos, Operator, Outputs, Stage } from "./engine/operator.ts";
export type { Key, KeyedOperator, KeyedOutputs, KeyedStage, KeyRules } from "./engine/keyed.ts";
export { KeyedState } from "./engine/keyed_state.ts";
export { Timers } from "./engine/timers.ts";

export { count, session, tumbling } from "./engine/windowing/windows.ts";
export type { Fold, MergingFold, WindowSpan } from "./engine/windowing/windows.ts";
export { joinWithin } from "./engine/windowing/join_within.ts";
export type { JoinWithinRules, Unmet } from "./engine/windowing/join_within.ts";
export { orderByTime } from "./engine/windowing/order_by_time.ts";

export { fromArray } from "./engine/source.ts";
export type { Source, SourceOutputs, SourceStage } from "./engine/source.ts";
export { discard, forEach, intoArray } from "./engine/sink.ts";
export type { AsyncSink, AsyncSinkStage, QueueRules, Sink, SinkStage } from "./engine/sink.ts";
export { fromReadable, intoWritable, toReadable } from "./engine/web_streams.ts";

export { byteSet } from "./operators/wire/byte_set.ts";
export { type Cursor, Malformed } from "./operators/wire/cursor.ts";
export { defineProtocol } from "./operators/wire/protocol.ts";
export { refineProtocol } from "./operators/wire/refinement.ts";
export type { Carried, Refined, Refinement } from "./operators/wire/refinement.ts";
export type { Claim, Draft, Fields, Make, Protocol, Step, Way } from "./operators/wire/protocol.ts";

export { run } from "./engine/run.ts";
export type { Ending, Run, RunOptions } from "./engine/run.ts";
export type { DeadLetter, DeadLetters } from "./engine/runtime/dead_letters.ts";
export { formatDeadLetter } from "./engine/runtime/dead_letters.ts";
export { printGraph, printMermaid } from "./engine/print_graph.ts";
export { tryJoin, tryOperator } from "./engine/try_operator.ts";
