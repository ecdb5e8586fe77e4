// SPDX-License-Identifier: Apache-2.0
// Web Streams at the edges of a flow. (In its middle: `flow.throughWeb`.)
//
// Anything made for Web Streams connects here: fetch bodies, files, compression, `@std/streams`.
// Promises stay at the edge; between two of them records move by plain calls.

import type { Flow } from "./flow.ts";
import type { Nanos } from "./operator.ts";
import { type Run, run, type RunOptions } from "./run.ts";
import { newBell } from "./runtime/bell.ts";
import { readAhead } from "./runtime/read_ahead.ts";
import { type AsyncSink, type QueueRules, WEB_QUEUE } from "./sink.ts";
import type { Source } from "./source.ts";

/**
 * A source that reads a stream. The function is called once per run; `timeOf` gives the records
 * watermarks. When the run stops, the stream is cancelled.
 */
export function fromReadable<T>(
  open: () => ReadableStream<T>,
  timeOf?: (record: T) => Nanos,
  name = "readable",
): Source<T> {
  return {
    name,
    limits: [],
    open(out) {
      const reading = readAhead(open());
      let stopped = false;
      return {
        pull(recordsMax) {
          const records = stopped ? [] : reading.take(recordsMax);
          for (const record of records) {
            if (timeOf !== undefined) out.advance(timeOf(record));
            out.emit(record);
          }
          return records.length;
        },
        done: () => stopped || reading.done(),
        wait: () => reading.wait(),
        held: () => reading.held(),
        stop() {
          stopped = true;
          reading.ring();
        },
        [Symbol.dispose]: () => reading.cancel(),
      };
    },
  };
}

/** A sink that writes to a stream and closes it at the end. The function is called once per run. */
export function intoWritable<T>(
  open: () => WritableStream<T>,
  name = "writable",
  queue: QueueRules = WEB_QUEUE,
): AsyncSink<T> {
  return {
    kind: "async_sink",
    name,
    limits: [],
    queue,
    open() {
      const writer = open().getWriter();
      return {
        async write(records) {
          for (const record of records) {
            await writer.ready;
            await writer.write(record);
          }
        },
        end: () => writer.close(),
        [Symbol.asyncDispose]: () => Promise.resolve(writer.releaseLock()),
      };
    },
  };
}

/**
 * Runs a flow as a stream. It starts when the stream is made, goes as fast as it is read, and is
 * aborted when the stream is cancelled.
 */
export function toReadable<T>(
  flow: Flow<T>,
  options: RunOptions = {},
  queue: QueueRules = WEB_QUEUE,
): ReadableStream<T> {
  const wanted = newBell();
  let cancelled = false;
  let running: Run | undefined;
  return new ReadableStream<T>({
    start(controller) {
      const write = async (records: T[]): Promise<void> => {
        for (const record of records) {
          while ((controller.desiredSize ?? 0) <= 0 && !cancelled) await wanted.wait();
          if (cancelled) return;
          controller.enqueue(record);
        }
      };
      const sink: AsyncSink<T> = {
        kind: "async_sink",
        name: "readable",
        limits: [],
        queue,
        open: () => ({
          write,
          end: () => Promise.resolve(),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      };
      running = run(flow.into(sink), options);
      running.finished.then(
        () => cancelled || controller.close(),
        (cause) => cancelled || controller.error(cause),
      );
    },
    pull: wanted.ring,
    async cancel() {
      cancelled = true;
      wanted.ring();
      await running?.abort();
    },
  });
}
