// SPDX-License-Identifier: Apache-2.0
// What the engine costs per record: ten stages done in five ways, in turns, in one run.

import { Flow } from "../../engine/flow.ts";
import { run } from "../../engine/run.ts";
import { forEach } from "../../engine/sink.ts";
import { median } from "./median.ts";

/** Rates on a shared machine mean little; the ratios between rows of one run mean something. */
export interface EngineReport {
  readonly stages: number;
  readonly rows: readonly EngineRow[];
}

export interface EngineRow {
  readonly way: string;
  /** Median over the rounds, for one record through all stages. */
  readonly nsPerRecord: number;
  /** Median over the rounds of this way's time to that of the direct calls of the same round. */
  readonly timesDirect: number;
}

interface Item {
  value: number;
}

interface Way {
  readonly name: string;
  readonly records: number;
  readonly go: (items: readonly Item[]) => Promise<void>;
}

const stages = 10;
const rounds = 5;
const arrayRecords = 512;

const step = (item: Item): Item => {
  item.value = (item.value + 1) | 0;
  return item;
};

/** Ten closures that call each other: the least that any push design can cost. */
function direct(items: readonly Item[]): Promise<void> {
  let push = (item: Item): void => void (taken += item.value & 1);
  for (let stage = 0; stage < stages; stage++) {
    const next = push;
    push = (item) => next(step(item));
  }
  for (const item of items) push(item);
  return Promise.resolve();
}

async function ours(items: readonly Item[]): Promise<void> {
  let flow: Flow<Item> = Flow.from(items);
  for (let stage = 0; stage < stages; stage++) flow = flow.map((item) => step(item));
  await run(flow.into(forEach("taken", (item) => void (taken += item.value & 1)))).finished;
}

function arrays(items: readonly Item[]): Promise<void> {
  for (let at = 0; at < items.length; at += arrayRecords) {
    let batch = items.slice(at, at + arrayRecords);
    for (let stage = 0; stage < stages; stage++) batch = batch.map((item) => step(item));
    for (const item of batch) taken += item.value & 1;
  }
  return Promise.resolve();
}

async function generators(items: readonly Item[]): Promise<void> {
  async function* from(): AsyncGenerator<Item> {
    yield* items;
  }
  async function* stage(input: AsyncGenerator<Item>): AsyncGenerator<Item> {
    for await (const item of input) yield step(item);
  }
  let output = from();
  for (let n = 0; n < stages; n++) output = stage(output);
  for await (const item of output) taken += item.value & 1;
}

async function webStreams(items: readonly Item[]): Promise<void> {
  let readable = ReadableStream.from(items);
  for (let stage = 0; stage < stages; stage++) {
    readable = readable.pipeThrough(
      new TransformStream<Item, Item>({
        transform: (item, controller) => controller.enqueue(step(item)),
      }),
    );
  }
  for await (const item of readable) taken += item.value & 1;
}

let taken = 0; // keeps the work from being optimised away

const ways: readonly Way[] = [
  { name: "direct calls", records: 1_000_000, go: direct },
  { name: "this engine", records: 1_000_000, go: ours },
  { name: `arrays of ${arrayRecords}`, records: 1_000_000, go: arrays },
  { name: "async generators", records: 30_000, go: generators },
  { name: "web streams", records: 5_000, go: webStreams },
];

export async function engineBench(): Promise<EngineReport> {
  const items = Array.from({ length: 1_000_000 }, (_, value): Item => ({ value }));
  const timings = ways.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, way] of ways.entries()) {
      const input = items.slice(0, way.records);
      const startMs = performance.now();
      await way.go(input);
      const ns = (performance.now() - startMs) * 1e6 / way.records;
      if (round >= 0) timings[index]?.push(ns); // the first round warms up
    }
  }
  const base = timings[0] ?? [];
  const rows = ways.map(({ name }, index) => ({
    way: name,
    nsPerRecord: median(timings[index] ?? []),
    timesDirect: median((timings[index] ?? []).map((ns, round) => ns / (base[round] ?? NaN))),
  }));
  return { stages, rows };
}

export function formatEngineReport({ stages, rows }: EngineReport): string {
  const lines = rows.map(({ way, nsPerRecord, timesDirect }) =>
    `  ${way.padEnd(18)} ${nsPerRecord.toFixed(0).padStart(7)} ns ${
      timesDirect.toFixed(1).padStart(8)
    }×`
  );
  return [`One record through ${stages} stages`, ...lines].join("\n");
}

if (import.meta.main) console.log(formatEngineReport(await engineBench()));
