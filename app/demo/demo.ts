// SPDX-License-Identifier: Apache-2.0
// `demo`: a small shop of ordinary programs, traced without a change to any of them.

import { forEach } from "../../engine/sink.ts";
import type { CaptureRecord, ProcessFact } from "../../model/capture_record.ts";
import { type CliContext, EXIT, Refusal } from "../cli/context.ts";
import type { DemoFlags } from "../cli/commands/demo.ts";
import { onInterrupt } from "../trace/ending/interrupts.ts";
import { ProcessTree } from "../trace/process_tree.ts";
import { openRecordSource, type RecordSource } from "../trace/record_source.ts";
import { RecentTraces } from "../views/recent_traces.ts";
import { startTracing } from "../trace/start_tracing.ts";
import { openStoreFor } from "../trace/trace_store.ts";
import { countsSince } from "../trace/vitals.ts";
import { demoReport } from "./demo_report.ts";
import { driveLoad } from "./load.ts";
import { findPrograms, type Programs } from "./programs.ts";
import { type Shop, startShop } from "./shop.ts";

/** All spans of a demo are remembered: this is more than the longest one makes in a minute. */
const SPANS_MAX = 500_000;
/** Requests before the load: they fill caches and open connections. */
const WARM_UP = { perSecond: 20, durationMs: 500 } as const;

export async function demo(this: CliContext, flags: DemoFlags): Promise<void> {
  const programs = findOrRefuse();
  const say = (text: string) => this.process.stderr.write(`${text}\n`);
  const stopping = new AbortController();
  using _interrupts = onInterrupt(() => stopping.abort());
  // Whether tracing can work is known before anything is started.
  using source = await openRecordSource({});
  say("Starting nginx, Node, Python, Redis, PostgreSQL and dnsmasq on loopback …");
  await using shop = await startShop(programs);
  if (stopping.signal.aborted) return;
  const text = await traceShop(shop, source, { flags, say, signal: stopping.signal });
  this.process.stdout.write(text);
  if (stopping.signal.aborted) this.process.exitCode = EXIT.ok;
}

function findOrRefuse(): Programs {
  const found = findPrograms();
  if ("programs" in found) return found.programs;
  const { missing } = found;
  throw new Refusal(
    `Cannot start the shop: programs are missing; apt install ${missing.join(" ")}`,
  );
}

async function traceShop(
  shop: Shop,
  source: RecordSource,
  { flags, say, signal }: {
    readonly flags: DemoFlags;
    readonly say: (text: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const traces = new RecentTraces({ spansMax: SPANS_MAX });
  const shopTree = new ProcessTree(Deno.pid);
  await using store = openStoreFor(source, flags);
  await using tracing = startTracing(source, {
    outputs: ({ records, spans }) => [
      spans.into(forEach("kept", (revision) => traces.add(revision, 0n))),
      records.filter(isProcessFact, "is_process")
        .into(forEach("process_tree", (fact) => shopTree.add(fact))),
      ...(store === null ? [] : [spans.into(store.sink)]),
    ],
  });
  await driveLoad(shop.url, { ...WARM_UP, signal });
  const seconds = flags.duration / 1_000;
  say(`Tracing ${source.scope} (${source.path}): ${flags.rate} requests/s for ${seconds} s …`);
  const before = tracing.counts();
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const load = { perSecond: flags.rate, durationMs: flags.duration, signal };
  const { sent, failed } = await driveLoad(shop.url, load);
  const elapsedS = Number(BigInt(Date.now()) * 1_000_000n - startNs) / 1e9;
  await tracing.stop();
  await store?.close();
  const ofShop = traces.unsettled().filter(({ root, spans }) =>
    root.start_unix_ns >= startNs && spans.some(({ span }) => shopTree.has(span.pid))
  );
  const counts = countsSince(before, tracing.counts());
  return demoReport({ traces: ofShop, sent, failed, seconds: elapsedS, counts });
}

function isProcessFact(record: CaptureRecord): record is ProcessFact {
  return record.kind === "process";
}
