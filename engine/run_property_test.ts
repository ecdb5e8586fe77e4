// SPDX-License-Identifier: Apache-2.0
// Results depend on the records and their times, never on how many of them one pull takes.
import assert from "node:assert/strict";
import fc from "fast-check";
import { Flow } from "./flow.ts";
import type { KeyedOperator } from "./keyed.ts";
import { run } from "./run.ts";
import { intoArray } from "./sink.ts";
import { fromArray } from "./source.ts";
import { joinWithin } from "./windowing/join_within.ts";
import { orderByTime } from "./windowing/order_by_time.ts";
import { count, session, tumbling } from "./windowing/windows.ts";

interface Hit {
  readonly key: number;
  readonly atNs: bigint;
  readonly isAnswer: boolean;
}

/** Emits what it heard of a key when the key has been quiet, or when too many keys talk. */
const digest: KeyedOperator<number, Hit, bigint[], string, { quietNs: bigint }> = {
  name: "digest",
  limits: [],
  open: ({ quietNs }, { emit, setTimer, forget }) => ({
    start: () => [],
    push(times, { atNs }, key) {
      if (times.push(atNs) > 5) throw new Error("talks too much");
      setTimer(key, atNs + quietNs);
    },
    timer(times, key) {
      emit(`${key} quiet after ${times.join(" ")}`);
      forget(key);
    },
    end: (times, key, why) => emit(`${key} ${why} with ${times.join(" ")}`),
  }),
};

const timeOf = (hit: Hit): bigint => hit.atNs;

function everything(hits: Flow<Hit>) {
  const keyed = hits.keyed((hit) => hit.key, { timeOf, keysMax: 3, ttlNs: 9n });
  const [answers, questions] = hits.branch((hit) => hit.isAnswer);
  const pairs = questions.join(
    answers,
    joinWithin({
      leftKey: (hit: Hit) => hit.key,
      rightKey: (hit: Hit) => hit.key,
      leftTime: timeOf,
      rightTime: timeOf,
      withinNs: 4n,
      combine: (question: Hit, answer: Hit) => `${question.atNs} met ${answer.atNs}`,
    }),
  );
  const timed = hits.keyed((hit) => hit.key, { timeOf });
  const texts = [
    keyed.through(digest, { quietNs: 5n }),
    pairs,
    pairs.side.map(({ record }) => `${record.atNs} met nobody`),
    timed.window(tumbling(10n), count()).map((made) => `${made.key} ${made.count} ${made.endNs}`),
    timed.window(session(3n), count()).map((made) => `${made.key} ${made.count} ${made.endNs}`),
    answers.merge(questions).through(orderByTime({ timeOf })).map((hit) => `${hit.atNs}`),
  ];
  return texts;
}

async function results(flows: readonly Flow<string>[], pullRecords: number) {
  const outputs = flows.map((): string[] => []);
  const pipelines = flows.map((flow, index) => flow.into(intoArray(outputs[index] ?? [])));
  const running = run(pipelines, { pullRecords });
  assert.equal(await running.finished, "done");
  const drops = running.meters().nodes.map(({ id, drops, failed }) => ({ id, drops, failed }));
  return { outputs, drops };
}

const hits = (lateness: number): fc.Arbitrary<Hit[]> =>
  fc.array(
    fc.record({
      key: fc.nat({ max: 5 }),
      late: fc.nat({ max: lateness }),
      isAnswer: fc.boolean(),
      gap: fc.nat({ max: 6 }),
    }),
    { maxLength: 60, size: "max" },
  ).map((steps) => {
    let now = 0;
    return steps.map(({ key, late, gap, isAnswer }) => {
      now += gap;
      return { key, isAnswer, atNs: BigInt(now - late) };
    });
  });

Deno.test("a pull of any size gives the same results, drops and failures", async () => {
  await fc.assert(
    fc.asyncProperty(hits(8), fc.integer({ min: 1, max: 80 }), async (records, pullRecords) => {
      const flows = everything(Flow.from(records, timeOf));
      assert.deepEqual(await results(flows, pullRecords), await results(flows, 1));
    }),
  );
});

Deno.test("two sources give the same whatever the order in which they are pulled", async () => {
  const sorted = async (flows: readonly Flow<string>[], pullRecords: number) => {
    const { outputs, drops } = await results(flows, pullRecords);
    return { outputs: outputs.map((texts) => texts.toSorted()), drops };
  };
  await fc.assert(
    fc.asyncProperty(hits(0), hits(0), fc.integer({ min: 1, max: 80 }), async (a, b, pull) => {
      const tape = (records: Hit[], name: string) => Flow.of(fromArray(records, timeOf, name));
      const both = tape(a, "a").merge(tape(b, "b"));
      const flows = everything(both).slice(1); // the digest evicts by order of arrival
      assert.deepEqual(await sorted(flows, pull), await sorted(flows, 1));
      const times = flows.at(-1) ?? assert.fail();
      const ordered: string[] = [];
      await run(times.into(intoArray(ordered)), { pullRecords: pull }).finished;
      const expected = [...a, ...b].map((hit) => Number(hit.atNs)).sort((x, y) => x - y);
      assert.deepEqual(ordered.map(Number), expected);
    }),
  );
});
