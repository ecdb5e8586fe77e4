// SPDX-License-Identifier: Apache-2.0
// How fast a recording goes through the whole pipeline, without a store, on one core.
//
// The recording is made here, of redis-benchmark against redis-server, both ends: small messages,
// one event each, which is the worst case per byte.

import { Flow } from "../../engine/flow.ts";
import { run } from "../../engine/run.ts";
import { discard, forEach } from "../../engine/sink.ts";
import { openReplay } from "../../operators/sources/replay_source.ts";
import { tracePipeline } from "../../app/pipeline.ts";
import { runToEnd } from "../support/child.ts";
import { startRedis } from "../support/servers/redis.ts";
import { startSpandrel } from "../support/spandrel.ts";
import { median } from "./median.ts";

export interface ReplayReport {
  readonly events: number;
  readonly spans: number;
  /** Medians over the rounds. */
  readonly eventsPerSecond: number;
  /** Sampled own time of each operator, ns per record that it took. */
  readonly operators: readonly { readonly name: string; readonly nsPerRecord: number }[];
  readonly rssBytes: number;
}

const ROUNDS = 3;
const REQUESTS = 150_000;

/** Needs root. */
export async function replayBench(): Promise<ReplayReport> {
  const path = await Deno.makeTempFile({ suffix: ".recording" });
  try {
    await recordRedis(path);
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await replay(path));
    const [first] = rounds;
    if (first === undefined) throw new Error("Cannot replay: there were no rounds");
    return {
      events: first.events,
      spans: first.spans,
      eventsPerSecond: median(rounds.map(({ events, seconds }) => events / seconds)),
      operators: [...first.ownNs.keys()].map((name) => ({
        name,
        nsPerRecord: median(rounds.map(({ ownNs }) => ownNs.get(name) ?? NaN)),
      })),
      rssBytes: Deno.memoryUsage().rss,
    };
  } finally {
    await Deno.remove(path);
  }
}

async function recordRedis(path: string): Promise<void> {
  await using redis = await startRedis();
  await using recording = await startSpandrel(["record", path, "--port", `${redis.port}`], {
    whenTracing: true,
  });
  const args = ["-p", `${redis.port}`, "-t", "get", "-n", `${REQUESTS}`, "-c", "32", "-q"];
  await runToEnd("redis-benchmark", { args });
  await recording.stop();
}

interface Round {
  readonly events: number;
  readonly spans: number;
  readonly seconds: number;
  readonly ownNs: ReadonlyMap<string, number>;
}

async function replay(path: string): Promise<Round> {
  const { source, header } = openReplay(path);
  const records = Flow.of(source);
  const { spans, verdicts } = tracePipeline(records, {
    host: header.host,
    keepPayload: false,
    unknownTcp: false,
  });
  let made = 0;
  const startMs = performance.now();
  const running = run([verdicts.into(discard()), spans.into(forEach("count", () => made++))]);
  await running.finished;
  const seconds = (performance.now() - startMs) / 1_000;
  const meters = running.meters().nodes;
  const events = meters.find(({ id }) => id === "recording")?.out ?? 0;
  return {
    events,
    spans: made,
    seconds,
    ownNs: new Map(
      meters.filter((each) => each.nsPerRecord > 0).map((each) => [each.id, each.nsPerRecord]),
    ),
  };
}

export function formatReplayReport(report: ReplayReport): string {
  const { events, spans, eventsPerSecond, operators, rssBytes } = report;
  return [
    `Replay of ${events} events to ${spans} span revisions, no store: ` +
    `${(eventsPerSecond / 1_000).toFixed(0)} k events/s, ${
      (rssBytes / 1e6).toFixed(0)
    } MB resident`,
    ...operators.map(({ name, nsPerRecord }) =>
      `  ${name.padEnd(18)} ${nsPerRecord.toFixed(0).padStart(6)} ns per record`
    ),
  ].join("\n");
}

if (import.meta.main) console.log(formatReplayReport(await replayBench()));
