// SPDX-License-Identifier: Apache-2.0
// A Web transform inside a graph: a sink for what is upstream and a source for what is downstream.
//
// A transform tells nobody which outputs belong to which inputs. A watermark is therefore passed
// on only when every record before it has been written and the readable side has run dry.

import { setImmediate } from "node:timers";
import { type Nanos, TIME_MIN } from "../operator.ts";
import type { AsyncSinkStage } from "../sink.ts";
import type { Source } from "../source.ts";
import type { WebPair } from "../graph.ts";
import { readAhead } from "./read_ahead.ts";

export interface WebBridge {
  readonly sink: AsyncSinkStage<never>;
  /** The watermark of the upstream side, and how many records came before it. */
  readonly advance: (watermarkNs: Nanos, recordsBefore: number) => void;
  readonly source: Source<unknown>;
  /** Records read from the transform that the driver has not taken yet. */
  readonly ahead: () => number;
}

export function openWebBridge(name: string, pair: WebPair<never, unknown>): WebBridge {
  const writer = pair.writable.getWriter();
  const reading = readAhead(pair.readable);
  const marks = heldMarks();
  let written = 0;
  const sink: AsyncSinkStage<never> = {
    async write(records) {
      const writes = records.map((record) => writer.write(record));
      try {
        await Promise.all(writes);
      } finally {
        written += records.length;
        await new Promise((resolve) => setImmediate(resolve));
        reading.ring();
      }
    },
    end: () => writer.close(),
    [Symbol.asyncDispose]: () => Promise.resolve(writer.releaseLock()),
  };
  const source: Source<unknown> = {
    name,
    limits: [],
    open: (out) => ({
      pull(recordsMax) {
        const records = reading.take(recordsMax);
        for (const record of records) out.emit(record);
        if (records.length < recordsMax) {
          const watermarkNs = marks.reached(written);
          if (watermarkNs !== undefined) out.advance(watermarkNs);
        }
        return records.length;
      },
      done: () => reading.done(),
      wait: () => reading.wait(),
      stop() {}, // ends when upstream has
      [Symbol.dispose]: () => reading.cancel(),
    }),
  };
  return { sink, advance: marks.add, source, ahead: () => reading.held() };
}

/** The oldest watermark not yet passed on, and the newest: in between they may be skipped. */
function heldMarks() {
  interface Mark {
    readonly ns: Nanos;
    readonly records: number;
  }
  let next: Mark | undefined;
  let newest: Mark = { ns: TIME_MIN, records: 0 };
  return {
    add(ns: Nanos, records: number): void {
      newest = { ns, records };
      next ??= newest;
    },
    reached(written: number): Nanos | undefined {
      if (next === undefined || next.records > written) return undefined;
      const { ns } = newest.records <= written ? newest : next;
      next = newest.records <= written ? undefined : newest;
      return ns;
    },
  };
}
