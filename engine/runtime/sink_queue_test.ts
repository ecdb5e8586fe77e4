// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { QueueRules } from "../sink.ts";
import { SinkQueue } from "./sink_queue.ts";

/** A sink whose writes settle when the test says so. */
function openQueue(rules: Partial<QueueRules>, take?: (record: unknown) => void) {
  const log: string[] = [];
  const writes: PromiseWithResolvers<void>[] = [];
  const lost = new Map<string, number>();
  let waiting = Promise.withResolvers<void>();
  const queue = new SinkQueue(
    { recordsMax: 4, whenFull: "drop", batchRecordsMax: 2, batchWaitMs: 0, ...rules },
    {
      ...(take !== undefined && { take }),
      write(records: unknown[]) {
        log.push(records.join(" "));
        const write = Promise.withResolvers<void>();
        writes.push(write);
        waiting.resolve();
        return write.promise;
      },
      end: () => Promise.resolve(void log.push("end")),
      [Symbol.asyncDispose]: () => Promise.resolve(void log.push("closed")),
    },
    {
      failed: (records, count, cause) => log.push(`lost ${count}, ${records.join(" ")}: ${cause}`),
      dropped: (reason, n) => lost.set(reason, (lost.get(reason) ?? 0) + n),
      changed() {},
    },
  );
  /** Resolves when the sink is writing its next batch. */
  const writing = async (): Promise<PromiseWithResolvers<void>> => {
    await waiting.promise;
    waiting = Promise.withResolvers<void>();
    const write = writes.shift();
    assert.ok(write !== undefined);
    return write;
  };
  return { queue, log, lost, writing };
}

Deno.test("records are written in batches, in order, one write at a time", async () => {
  const { queue, log, writing } = openQueue({});
  for (const record of [1, 2, 3]) queue.offer(record);
  const first = await writing();
  assert.deepEqual(log, ["1 2"]);
  assert.equal(queue.length, 3);
  first.resolve();
  queue.close();
  (await writing()).resolve();
  await queue.finished;
  assert.deepEqual(log, ["1 2", "3", "end", "closed"]);
  assert.equal(queue.length, 0);
});

Deno.test("a queue that drops gives up what does not fit, counted", async () => {
  const { queue, lost, log, writing } = openQueue({});
  for (const record of [1, 2, 3, 4, 5, 6]) queue.offer(record);
  assert.deepEqual([...lost], [["queue_full", 2]]);
  assert.equal(queue.room, Infinity);
  queue.close();
  (await writing()).resolve();
  (await writing()).resolve();
  await queue.finished;
  assert.deepEqual(log.slice(0, 2), ["1 2", "3 4"]);
});

Deno.test("a queue that blocks tells its room, and loses nothing if that is exceeded", async () => {
  const { queue, lost, writing } = openQueue({ whenFull: "block", batchRecordsMax: 10 });
  for (const record of [1, 2, 3, 4, 5]) queue.offer(record);
  assert.equal(queue.room, -1);
  queue.close();
  (await writing()).resolve();
  await queue.finished;
  assert.equal(queue.room, 4);
  assert.equal(lost.size, 0);
});

Deno.test("a rejected write loses its batch, and the next one is tried", async () => {
  const { queue, log, writing } = openQueue({});
  for (const record of [1, 2, 3]) queue.offer(record);
  (await writing()).reject("disk full");
  queue.close();
  (await writing()).resolve();
  await queue.finished;
  assert.deepEqual(log, ["1 2", "lost 2, 1 2: disk full", "3", "end", "closed"]);
});

Deno.test("a sink that takes records as they come writes all at once, counted", async () => {
  const taken: unknown[] = [];
  const { queue, lost, log, writing } = openQueue({}, (record) => void taken.push(record));
  queue.offer(1);
  const first = await writing();
  for (const record of [2, 3, 4, 5]) queue.offer(record);
  assert.deepEqual(taken, [1, 2, 3, 4]);
  assert.deepEqual([...lost], [["queue_full", 1]]);
  first.resolve();
  (await writing()).reject("disk full");
  queue.close();
  await queue.finished;
  assert.equal(queue.length, 0);
  assert.deepEqual(log, ["", "", "lost 3, : disk full", "end", "closed"]);
});

Deno.test("abort gives up what waits and does not wait for a write that hangs", async () => {
  const { queue, log, lost, writing } = openQueue({});
  for (const record of [1, 2, 3]) queue.offer(record);
  await writing();
  queue.abort();
  queue.offer(4);
  await queue.finished;
  assert.deepEqual([...lost], [["aborted", 2]]);
  assert.deepEqual(log, ["1 2", "closed"]);
});
