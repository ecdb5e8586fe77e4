// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { Flow } from "./flow.ts";
import type { Operator } from "./operator.ts";
import { run } from "./run.ts";
import { formatDeadLetter } from "./runtime/dead_letters.ts";
import { type AsyncSink, discard, forEach, intoArray, type QueueRules } from "./sink.ts";
import { fromArray, type Source } from "./source.ts";

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index);
const time = (n: number): bigint => BigInt(n);

/** Passes numbers on, and does as it is told on some of them. */
const touchy: Operator<number, number, { throwsAt: (n: number) => boolean }, string, "odd"> = {
  name: "touchy",
  limits: ["touchy_max"],
  open: ({ throwsAt }, { emit, side, drop }) => ({
    push(n) {
      if (throwsAt(n)) throw new RangeError(`${n} is too much`);
      if (n % 2 === 1) return drop("odd");
      side(`${n}`);
      emit(n);
    },
    advance(watermarkNs) {
      if (watermarkNs === 6n) throw new Error("no sixes");
    },
    end() {
      throw new Error("no end");
    },
    held: () => 3,
  }),
};

Deno.test("a throw costs one record and never reaches the stages upstream", async () => {
  const doubled: number[] = [];
  const kept: number[] = [];
  const running = run(
    Flow.from(upTo(10), time)
      .map((n) => (doubled.push(n), n), "before")
      .through(touchy, { throwsAt: (n) => n === 4 })
      .into(intoArray(kept)),
  );
  assert.equal(await running.finished, "done");
  assert.deepEqual(doubled, upTo(10));
  assert.deepEqual(kept, [0, 2, 6, 8]);
  assert.deepEqual([...running.deadLetters].map(formatDeadLetter), [
    "touchy failed on a record: 4 is too much",
    "touchy failed on advance: no sixes",
    "touchy failed on end: no end",
  ]);
  assert.equal([...running.deadLetters][0]?.record, 4);
  const meter = running.meters().nodes.find((node) => node.id === "touchy");
  assert.ok(meter !== undefined);
  assert.deepEqual([meter.in, meter.out, meter.side, meter.failed], [10, 4, 4, 3]);
  assert.deepEqual(meter.drops, { odd: 5 });
  assert.deepEqual([meter.held, meter.heldMax, meter.watermarkNs], [3, 3, 9n]);
});

Deno.test("dead letters are bounded: the newest are kept, all are counted", async () => {
  const running = run(
    Flow.from(upTo(10)).through(touchy, { throwsAt: () => true }).into(discard()),
    { deadLettersMax: 3 },
  );
  await running.finished;
  assert.equal(running.deadLetters.total, 11);
  const records = [...running.deadLetters].map((letter) => letter.record);
  assert.deepEqual(records, [8, 9, undefined]);
});

Deno.test("a throw behind a branch or in a sink is caught there", async () => {
  const [yes, no] = Flow.from(upTo(4)).branch((n) => {
    if (n === 0) throw new Error("zero");
    return n > 2;
  }, "large");
  const small: number[] = [];
  const running = run([
    yes.into(forEach("bomb", () => {
      throw new Error("bang");
    })),
    no.into(intoArray(small)),
  ]);
  await running.finished;
  assert.deepEqual(small, [1, 2]);
  assert.deepEqual([...running.deadLetters].map(({ node }) => node), ["large", "bomb"]);
});

Deno.test("a stage that cannot open fails the call, and closes what was open", async () => {
  let opened = 0;
  const source: Source<number> = {
    ...fromArray([1]),
    open(out) {
      opened++;
      return fromArray([1]).open(out);
    },
  };
  const unopenable: Operator<number, number> = {
    name: "unopenable",
    limits: [],
    open() {
      throw new Error("Cannot open");
    },
  };
  const closed = Promise.withResolvers<void>();
  const sink = asyncSink([], { closed: closed.resolve });
  const flow = Flow.of(source);
  assert.throws(() => run(flow.through(unopenable).into(sink)), /Cannot open/);
  await closed.promise;
  assert.equal(opened, 0);
});

Deno.test("a source that fails ends its flow in order, and the run tells", async () => {
  const failing: Source<number> = {
    name: "tape",
    limits: [],
    open: ({ emit }) => ({
      pull() {
        emit(1);
        throw new Error("the tape is torn");
      },
      done: () => false,
      wait: () => Promise.resolve(),
      [Symbol.dispose]() {},
    }),
  };
  const kept: number[] = [];
  const ended: string[] = [];
  const running = run(
    Flow.of(failing).merge(Flow.from([2, 3])).into({
      ...intoArray(kept),
      open: () => ({ push: (n) => void kept.push(n), end: () => void ended.push("end") }),
    }),
  );
  await assert.rejects(running.finished, {
    message: "Cannot read on from tape: the tape is torn",
  });
  assert.deepEqual(kept, [1, 2, 3]);
  assert.deepEqual(ended, ["end"]);
});

/** A live source that the test feeds by hand. */
function feed() {
  const queue: number[] = [];
  const calls: string[] = [];
  let wake = (): void => {};
  const source: Source<number> = {
    name: "feed",
    limits: [],
    open: ({ emit }) => ({
      pull(recordsMax) {
        const taken = queue.splice(0, recordsMax);
        for (const n of taken) emit(n);
        return taken.length;
      },
      done: () => false,
      wait(signal) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        signal.addEventListener("abort", () => resolve());
        calls.push("wait");
        return promise;
      },
      [Symbol.dispose]: () => void calls.push("disposed"),
    }),
  };
  const put = (...numbers: number[]): void => {
    queue.push(...numbers);
    wake();
  };
  return { source, put, calls };
}

Deno.test("a live source is pulled when it has something, and drained when stopped", async () => {
  const { source, put, calls } = feed();
  const second = Promise.withResolvers<void>();
  const kept: number[] = [];
  const running = run(
    Flow.of(source).into(forEach("kept", (n) => {
      kept.push(n);
      if (n === 2) second.resolve();
    })),
  );
  put(1, 2);
  await second.promise;
  put(3);
  assert.equal(await running.stop(), "stopped");
  assert.deepEqual(kept, [1, 2, 3]);
  assert.equal(calls.at(-1), "disposed");
  assert.equal(await running.stop(), "stopped");
});

Deno.test("a signal stops a run, even one that was aborted before", async () => {
  const { source, put } = feed();
  put(1);
  const kept: number[] = [];
  const signal = AbortSignal.abort();
  assert.equal(await run(Flow.of(source).into(intoArray(kept)), { signal }).finished, "stopped");
  assert.deepEqual(kept, [1]);
});

interface AsyncSinkHooks {
  readonly write?: (records: number[]) => Promise<void>;
  readonly closed?: () => void;
}

function asyncSink(
  batches: number[][],
  hooks: AsyncSinkHooks = {},
  queue: Partial<QueueRules> = {},
): AsyncSink<number> {
  return {
    kind: "async_sink",
    name: "store",
    limits: [],
    queue: { recordsMax: 8, whenFull: "block", batchRecordsMax: 4, batchWaitMs: 0, ...queue },
    open: () => ({
      write(records) {
        batches.push(records);
        return hooks.write?.(records) ?? Promise.resolve();
      },
      end: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve().then(hooks.closed),
    }),
  };
}

Deno.test("a sink that blocks holds the source back", async () => {
  const batches: number[][] = [];
  let waitingMax = 0;
  let written = 0;
  let emitted = 0;
  const sink = asyncSink(batches, {
    write(records) {
      waitingMax = Math.max(waitingMax, emitted - written);
      written += records.length;
      return Promise.resolve();
    },
  });
  const asked: number[] = [];
  const source = fromArray(upTo(1_000));
  const watched: Source<number> = {
    ...source,
    open(out) {
      const stage = source.open(out);
      return { ...stage, pull: (recordsMax) => (asked.push(recordsMax), stage.pull(recordsMax)) };
    },
  };
  const running = run(Flow.of(watched).map((n) => (emitted++, n)).into(sink));
  await running.finished;
  assert.ok(Math.min(...asked) >= 1 && Math.max(...asked) <= 8);
  assert.deepEqual(batches.flat(), upTo(1_000));
  assert.ok(waitingMax <= 8, `${waitingMax} records waited`);
});

Deno.test("a sink that drops never holds the source back", async () => {
  const batches: number[][] = [];
  const running = run(Flow.from(upTo(100)).into(asyncSink(batches, {}, { whenFull: "drop" })));
  await running.finished;
  const dropped = running.meters().nodes.at(-1)?.drops.queue_full ?? 0;
  assert.ok(dropped > 0);
  assert.equal(batches.flat().length + dropped, 100);
});

Deno.test("a write that fails goes to the dead letters as a batch", async () => {
  const sink = asyncSink([], { write: () => Promise.reject(new Error("disk full")) });
  const running = run(Flow.from(upTo(6)).into(sink));
  assert.equal(await running.finished, "done");
  assert.equal(running.meters().nodes.at(-1)?.failed, 6);
  const lost = [...running.deadLetters].reduce((sum, { records }) => sum + records, 0);
  assert.equal(lost, 6);
  assert.match(formatDeadLetter([...running.deadLetters][0] ?? assert.fail()), /disk full/);
});

Deno.test("a sink that cannot close fails the run", async () => {
  const sink = asyncSink([], { closed: () => assert.fail("no space left") });
  await assert.rejects(run(Flow.from([1]).into(sink)).finished, {
    message: "Cannot close store: no space left",
  });
});

Deno.test("after the deadline of a stop the rest is given up, counted", async () => {
  const writing = Promise.withResolvers<void>();
  const hang = Promise.withResolvers<void>();
  const write = (): Promise<void> => {
    writing.resolve();
    return hang.promise;
  };
  const running = run(Flow.from(upTo(100)).into(asyncSink([], { write })));
  await writing.promise;
  assert.equal(await running.stop({ deadlineMs: 0 }), "aborted");
  const meter = running.meters().nodes.at(-1);
  assert.equal((meter?.drops.aborted ?? 0) + 4, meter?.in); // 4 were being written
  assert.ok((meter?.in ?? 0) <= 8);
});

Deno.test("of several deadlines of a stop the soonest counts", async () => {
  const writing = Promise.withResolvers<void>();
  const write = () => (writing.resolve(), Promise.withResolvers<void>().promise);
  const running = run(Flow.from(upTo(100)).into(asyncSink([], { write })));
  await writing.promise;
  void running.stop({ deadlineMs: 60_000 });
  void running.stop({ deadlineMs: 0 });
  assert.equal(await running.stop({ deadlineMs: 60_000 }), "aborted");
});

Deno.test("own time is sampled, and the watermark's lag is told", async () => {
  const running = run(
    Flow.from(upTo(5_000), time).filter((n) => n >= 0, "keep").into(discard()),
  );
  await running.finished;
  const [, keep] = running.meters().nodes;
  assert.ok(keep !== undefined && keep.nsPerRecord > 0);
  assert.equal(keep.lagNs, 0n);
  assert.equal(keep.watermarkNs, 4_999n);
});

Deno.test("lag counts what is held back, and not a change of epoch", async () => {
  const shift = (name: string, byNs: bigint): Operator<number, number> => ({
    name,
    limits: [],
    open: (_, { emit }) => ({
      push: emit,
      advance() {},
      end() {},
      held: () => 0,
      watermark: (watermarkNs) => watermarkNs + byNs,
    }),
  });
  const running = run(
    Flow.from(upTo(100), time)
      .through(shift("hold", -10n))
      .through(shift("to_unix", 1_790_000_000_000n))
      .through(shift("hold", -5n))
      .into(discard()),
  );
  await running.finished;
  const lags = running.meters().nodes.map(({ id, lagNs }) => `${id} ${lagNs}`);
  assert.deepEqual(lags, ["array 0", "hold 0", "to_unix 10", "hold#2 10", "discard 15"]);
});
