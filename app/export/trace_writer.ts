// SPDX-License-Identifier: Apache-2.0
// How traces become a document: a beginning, any number of batches of traces, an end.

import type { Trace } from "../../queries/assembly/trace.ts";

export interface TraceWriter {
  /** `startNs`: start of the earliest span that is exported, Unix time. */
  readonly begin: (startNs: bigint) => string;
  /** Pieces of text, in order. */
  readonly write: (traces: readonly Trace[]) => Iterable<string>;
  readonly end: () => string;
}

/** The whole document of traces that are at hand. */
export function* documentOf(writer: TraceWriter, traces: readonly Trace[]): Generator<string> {
  const [first] = traces;
  const startNs = traces.reduce(
    (earliest, trace) => trace.startNs < earliest ? trace.startNs : earliest,
    first?.startNs ?? 0n,
  );
  yield writer.begin(startNs);
  yield* writer.write(traces);
  yield writer.end();
}
