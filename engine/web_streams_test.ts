// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Flow } from "./flow.ts";
import { run } from "./run.ts";
import { intoArray } from "./sink.ts";
import { count, tumbling } from "./windowing/windows.ts";
import { fromReadable, intoWritable, toReadable } from "./web_streams.ts";

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

/** Lets everything that can go on go on, many times over. */
async function turns(): Promise<void> {
  for (let n = 0; n < 100; n++) await new Promise((resolve) => setImmediate(resolve));
}

async function collect<T>(flow: Flow<T>): Promise<T[]> {
  const records: T[] = [];
  await run(flow.into(intoArray(records))).finished;
  return records;
}

Deno.test("a flow reads from a stream, and again from a fresh one", async () => {
  const flow = Flow.of(fromReadable(() => ReadableStream.from(upTo(5_000)))).map((n) => n + 1);
  assert.deepEqual((await collect(flow)).slice(-2), [4_999, 5_000]);
  assert.equal((await collect(flow)).length, 5_000);
});

Deno.test("a stream that fails fails the run, after its records", async () => {
  async function* torn() {
    yield 1;
    await Promise.resolve();
    throw new Error("torn");
  }
  const kept: number[] = [];
  const flow = Flow.of(fromReadable(() => ReadableStream.from(torn())));
  await assert.rejects(run(flow.into(intoArray(kept))).finished, /from readable: torn/);
  assert.deepEqual(kept, [1]);
});

Deno.test("a stream is read no faster than the flow takes it", async () => {
  let produced = 0;
  const endless = () =>
    new ReadableStream<number>({ pull: (out) => out.enqueue(produced++) }, { highWaterMark: 0 });
  const never = () => new WritableStream<number>({ write: () => new Promise(() => {}) });
  const running = run(Flow.of(fromReadable(endless)).into(intoWritable(never)));
  await turns();
  assert.ok(produced > 0 && produced < 5_000, `${produced} records were read`);
  assert.equal(await running.abort(), "aborted");
});

Deno.test("stopping cancels the stream", async () => {
  const cancelled = Promise.withResolvers<void>();
  const endless = () => new ReadableStream<number>({ cancel: () => cancelled.resolve() });
  const running = run(Flow.of(fromReadable(endless)).into(intoArray([] as number[])));
  assert.equal(await running.stop(), "stopped");
  await cancelled.promise;
});

Deno.test("Web transforms stand in the middle of a flow", async () => {
  const bytes = Flow.from(["grün ", "ist ", "schön"]).throughWeb(() => new TextEncoderStream());
  const text = bytes
    .throughWeb(() => new CompressionStream("gzip"), "gzip")
    .throughWeb(() => new DecompressionStream("gzip"), "gunzip")
    .throughWeb(() => new TextDecoderStream(), "decode");
  assert.equal((await collect(text)).join(""), "grün ist schön");
});

Deno.test("watermarks wait for the records that a transform still has", async () => {
  const slow = () =>
    new TransformStream<number, number>({
      async transform(n, controller) {
        await Promise.resolve();
        controller.enqueue(n);
      },
    });
  const timeOf = (n: number) => BigInt(n);
  const windows = Flow.from(upTo(3_000), timeOf).throughWeb(slow)
    .keyed(() => 0, { timeOf }).window(tumbling(1_000n), count());
  const running: { count: number }[] = [];
  const graph = run(windows.into(intoArray(running)));
  await graph.finished;
  assert.deepEqual(running.map((each) => each.count), [1_000, 1_000, 1_000]);
  const [, web, window] = graph.meters().nodes;
  assert.deepEqual([web?.in, web?.out, window?.in], [3_000, 3_000, 3_000]);
  assert.deepEqual(window?.drops, {});
  assert.ok((window?.watermarkNs ?? -1n) >= 0n);
});

Deno.test("a transform that is not read from holds the source back", async () => {
  const entered = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let taken = 0;
  const gate = () =>
    new TransformStream<number, number>({
      async transform(n, controller) {
        if (++taken === 1) entered.resolve();
        await go.promise;
        controller.enqueue(n);
      },
    });
  let emitted = 0;
  const flow = Flow.from(upTo(10_000)).map((n) => (emitted++, n)).throughWeb(gate);
  const kept: number[] = [];
  const running = run(flow.into(intoArray(kept)));
  await entered.promise;
  assert.ok(emitted < 5_000, `${emitted} records left the source`);
  go.resolve();
  assert.equal(await running.finished, "done");
  assert.deepEqual(kept, upTo(10_000));
});

Deno.test("a flow is read as a stream, no faster than it is read", async () => {
  let emitted = 0;
  const stream = toReadable(Flow.from(upTo(100_000)).map((n) => (emitted++, n)));
  const reader = stream.getReader();
  assert.deepEqual(await reader.read(), { done: false, value: 0 });
  assert.deepEqual(await reader.read(), { done: false, value: 1 });
  await turns();
  assert.ok(emitted < 3_000, `${emitted} records left the source`);
  await reader.cancel();
  await turns();
  assert.ok(emitted < 3_000);
});

Deno.test("a flow read as a stream ends, and fails, as the flow does", async () => {
  const read: number[] = [];
  for await (const n of toReadable(Flow.from(upTo(3_000)))) read.push(n);
  assert.deepEqual(read, upTo(3_000));
  const failing = new ReadableStream<number>({ start: (out) => out.error(new Error("torn")) });
  const reader = toReadable(Flow.of(fromReadable(() => failing))).getReader();
  await assert.rejects(reader.read(), /torn/);
});

Deno.test("a flow ends in a stream, which is closed", async () => {
  const written: number[] = [];
  let closed = false;
  const open = () =>
    new WritableStream<number>({
      write: (n) => void written.push(n),
      close: () => void (closed = true),
    });
  await run(Flow.from(upTo(2_000)).into(intoWritable(open))).finished;
  assert.deepEqual(written, upTo(2_000));
  assert.ok(closed);
});
