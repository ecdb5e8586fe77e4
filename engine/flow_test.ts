// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { Flow } from "./flow.ts";
import type { JoinOperator, Operator } from "./operator.ts";
import { printGraph } from "./print_graph.ts";
import { run } from "./run.ts";
import { forEach, intoArray } from "./sink.ts";
import { count, session, tumbling } from "./windowing/windows.ts";

interface Cat {
  readonly kind: "cat";
  readonly lives: number;
}
interface Dog {
  readonly kind: "dog";
  readonly name: string;
}

const idle = { advance() {}, end() {}, held: () => 0 };

const nameCat: Operator<Cat, string, void, Cat> = {
  name: "name_cat",
  limits: [],
  open: (_, out) => ({
    ...idle,
    push(cat) {
      if (cat.lives > 9) out.side(cat);
      else out.emit(`cat of ${cat.lives} lives`);
    },
  }),
};
const measure: Operator<string, number, { factor: number }, never, "too_long"> = {
  name: "measure",
  limits: [],
  open: ({ factor }, { emit }) => ({ ...idle, push: (text) => emit(text.length * factor) }),
};
const meet: JoinOperator<string, Dog, string> = {
  name: "meet",
  limits: [],
  open: (_, { emit }) => ({ ...idle, left: emit, right: (dog) => emit(dog.name) }),
};

async function collect<T>(flow: Flow<T>): Promise<T[]> {
  const records: T[] = [];
  assert.equal(await run(flow.into(intoArray(records))).finished, "done");
  return records;
}

const animals: readonly (Cat | Dog)[] = [
  { kind: "cat", lives: 9 },
  { kind: "dog", name: "Rex" },
  { kind: "cat", lives: 12 },
  { kind: "cat", lives: 1 },
  { kind: "dog", name: "Ada" },
];

Deno.test("a wrong order is a compile error", () => {
  const all = Flow.from(animals);
  const [cats, dogs] = all.branch((animal) => animal.kind === "cat");
  const names: Flow<string> = cats.through(nameCat);
  const lengths: Flow<number> = names.through(measure, { factor: 2 });
  const timed = lengths.keyed((n) => n % 2, { timeOf: (n) => BigInt(n) });
  const counts: Flow<{ key: number; count: number }> = timed.window(session(5n), count());

  const wrong = [
    // @ts-expect-error: an operator for cats cannot stand behind cats and dogs
    () => all.through(nameCat),
    // @ts-expect-error: nor behind dogs
    () => dogs.through(nameCat),
    // @ts-expect-error: measure takes text, not cats
    () => cats.through(measure, { factor: 1 }),
    // @ts-expect-error: parameters are missing
    () => names.through(measure),
    // @ts-expect-error: parameters of the wrong type
    () => names.through(measure, { factor: "2" }),
    // @ts-expect-error: parameters that the operator does not have
    () => cats.through(nameCat, { factor: 1 }),
    // @ts-expect-error: left and right are exchanged
    () => dogs.join(names, meet),
    // @ts-expect-error: the sink takes text
    () => lengths.into(intoArray<string>([])),
    // @ts-expect-error: windows need the time of a record
    () => lengths.keyed((n) => n).window(tumbling(5n), count()),
    // @ts-expect-error: a session window needs a fold that can merge
    () => timed.window(session(5n), { start: () => 0, add: (n: number) => n, result: Number }),
    // @ts-expect-error: a flow without a sink does not run
    () => run(lengths),
  ];
  assert.equal(wrong.length, 11); // never called: only their types matter
  assert.ok(counts.port);
});

Deno.test("the example of the module comment does what it says", async () => {
  const lines = Flow.from(["GET /a 200", "GET /b 500", "GET /a 200"]);
  const hits = lines.map((line) => {
    const [method, path, code] = line.split(" ");
    return { method, path, ok: code === "200" };
  }, "parse");
  const [good, bad] = hits.branch((hit) => hit.ok, "ok");
  const pages: string[] = [];
  const failed: unknown[] = [];
  const running = run([
    good.map((hit) => hit.path ?? "").into(intoArray(pages)),
    bad.into(forEach("alarm", (hit) => failed.push(hit.path))),
  ]);
  await running.finished;
  assert.deepEqual(pages, ["/a", "/a"]);
  assert.deepEqual(failed, ["/b"]);
  assert.match(printGraph(running.graph, { now: running.meters() }), /● parse/);
});

Deno.test("map, flatMap and filter", async () => {
  const numbers = Flow.from([1, 2, 3, 4]);
  assert.deepEqual(await collect(numbers.map((n) => n * 2)), [2, 4, 6, 8]);
  assert.deepEqual(await collect(numbers.flatMap((n) => Array(n).fill(n))), [
    ...[1, 2, 2, 3, 3, 3],
    ...[4, 4, 4, 4],
  ]);
  assert.deepEqual(await collect(numbers.filter((n) => n % 2 === 0)), [2, 4]);
  const dogs: Flow<Dog> = Flow.from(animals).filter((animal) => animal.kind === "dog");
  assert.deepEqual(await collect(dogs.map((dog) => dog.name)), ["Rex", "Ada"]);
});

Deno.test("side outputs and parameters", async () => {
  const [cats] = Flow.from(animals).branch((animal) => animal.kind === "cat");
  const named = cats.through(nameCat);
  assert.deepEqual(await collect(named.through(measure, { factor: 10 })), [140, 140]);
  assert.deepEqual(await collect(named.side.map((cat) => cat.lives)), [12]);
});

Deno.test("paths that part and meet again keep the order of the source", async () => {
  const [cats, dogs] = Flow.from(animals).branch((animal) => animal.kind === "cat");
  const names = cats.map((cat) => `cat ${cat.lives}`).map((text) => text.toUpperCase());
  const joined = await collect(names.join(dogs, meet));
  assert.deepEqual(joined, ["CAT 9", "Rex", "CAT 12", "CAT 1", "Ada"]);
  assert.deepEqual(await collect(names.merge(dogs.map((dog) => dog.name))), joined);
});

Deno.test("a record is through all readers of a flow before the next one starts", async () => {
  const seen: string[] = [];
  const numbers = Flow.from([1, 2]);
  const readers = ["a", "b", "c"].map((name) =>
    numbers.into(forEach(name, (n) => seen.push(`${name}${n}`)))
  );
  await run(readers).finished;
  assert.deepEqual(seen, ["a1", "b1", "c1", "a2", "b2", "c2"]);
});

Deno.test("a flow is a value: it runs twice, with fresh state", async () => {
  const counted = Flow.from([1, 1, 2]).keyed((n) => n).through({
    name: "count",
    limits: [],
    open: (_params: void, { emit }: { emit: (made: string) => void }) => ({
      start: () => ({ seen: 0 }),
      push: (state: { seen: number }, n: number) => emit(`${n}: ${++state.seen}`),
    }),
  });
  const expected = ["1: 1", "1: 2", "2: 1"];
  assert.deepEqual(await collect(counted), expected);
  assert.deepEqual(await collect(counted), expected);
});
