// SPDX-License-Identifier: Apache-2.0
// What tracing costs and loses now, for the footer and for the closing line.

import process from "node:process";
import type { Run } from "../../engine/run.ts";

export interface Counts {
  /** Records taken from the source. */
  readonly events: number;
  /** What is not in the result, by reason. */
  readonly drops: readonly { readonly reason: string; readonly count: number }[];
  /** Spans that the store had, and removed as it was told to. */
  readonly expired: number;
}

/** Counts since the start; `losses` are those that the source told of in the stream. */
export function countsOf(run: Run, losses: ReadonlyMap<string, number>): Counts {
  const sources = new Set(
    run.graph.nodes.filter(({ kind }) => kind === "source").map(({ id }) => id),
  );
  const drops = new Map(losses);
  let events = 0;
  for (const node of run.meters().nodes) {
    if (sources.has(node.id)) events += node.out;
    for (const [reason, count] of Object.entries(node.drops)) {
      drops.set(reason, (drops.get(reason) ?? 0) + count);
    }
    if (node.failed > 0) drops.set("stage_failed", (drops.get("stage_failed") ?? 0) + node.failed);
  }
  const expired = drops.get("retention") ?? 0;
  drops.delete("retention");
  const list = [...drops].map(([reason, count]) => ({ reason, count }));
  return { events, drops: list.filter(({ count }) => count > 0), expired };
}

/** What was counted between two readings. */
export function countsSince(before: Counts, now: Counts): Counts {
  const drops = now.drops.map(({ reason, count }) => ({
    reason,
    count: count - (before.drops.find((drop) => drop.reason === reason)?.count ?? 0),
  }));
  return {
    events: now.events - before.events,
    drops: drops.filter(({ count }) => count > 0),
    expired: now.expired - before.expired,
  };
}

export interface Usage {
  readonly eventsPerS: number;
  readonly cpuShare: number;
  readonly memoryBytes: number;
}

/** Called now and then: rates since the call before. */
export function usageMeter(): (events: number) => Usage {
  let before = { ms: performance.now(), events: 0, cpu: process.cpuUsage() };
  return (events) => {
    const now = { ms: performance.now(), events, cpu: process.cpuUsage() };
    const ms = Math.max(1, now.ms - before.ms);
    const cpuUs = now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system;
    const eventsPerS = (now.events - before.events) / ms * 1_000;
    before = now;
    return { eventsPerS, cpuShare: cpuUs / 1_000 / ms, memoryBytes: Deno.memoryUsage().rss };
  };
}
