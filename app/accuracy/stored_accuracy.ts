// SPDX-License-Identifier: Apache-2.0
// `accuracy --db FILE`: how right the links of stored spans are, and what the tracer could not see.

import type { Trace } from "../../queries/assembly/trace.ts";
import type { Store } from "../../queries/store/store.ts";
import { blindSpotLines } from "../blind_spots/blind_spot_lines.ts";
import { type BlindSpot, BlindSpots } from "../blind_spots/blind_spots.ts";
import { openForReading } from "../cli/open_for_reading.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { readStoredTraces } from "../export/stored_traces.ts";
import { accuracyLines } from "./accuracy_lines.ts";
import { agreement, CHECKS_MIN, checksInAll, linksOf, type ServiceChecks } from "./link_checks.ts";

export interface StoredAccuracy {
  readonly checks: readonly ServiceChecks[];
  readonly traces: number;
  readonly spots: readonly BlindSpot[];
}

/** Prints it; throws one clear sentence when the file cannot be opened. */
export async function showStoredAccuracy(path: string, asJson: boolean): Promise<void> {
  await using store = await openForReading(path);
  const accuracy = await readStoredAccuracy(store);
  if (asJson) console.log(accuracyJson(accuracy));
  else for (const line of linesOf(accuracy)) console.log(line);
}

export async function readStoredAccuracy(store: Pick<Store, "query">): Promise<StoredAccuracy> {
  const losses = await readLosses(store);
  const spots = new BlindSpots();
  const { batches } = await readStoredTraces(store, {});
  let traces = 0;
  for await (const batch of batches) {
    for (const trace of batch) {
      traces++;
      const seen = trace.nodes.map(({ span }) => span);
      for (const span of seen) spots.addSpan(span);
      spots.addTrace(seen);
      for (const loss of losses) if (isUnderWay(trace, loss)) loss.traces++;
    }
  }
  const lost = losses.map(({ reason, service, count, traces }) => ({
    reason,
    service,
    count,
    traces: BESIDE_TRACES.has(reason) ? null : traces,
  }));
  return { checks: await readChecks(store), traces, spots: [...byReason(lost), ...spots.rows()] };
}

/** What was left out on purpose, or of files: it says nothing about traces of that time. */
const BESIDE_TRACES: ReadonlySet<string> = new Set(["span_malformed", "span_limit", "retention"]);

interface Loss {
  readonly reason: string;
  readonly service: string;
  readonly count: number;
  readonly sinceNs: bigint;
  readonly untilNs: bigint;
  traces: number;
}

/** Whether something was lost while it was, of a service that took part: it may lack something. */
function isUnderWay(trace: Trace, { sinceNs, untilNs, service }: Loss): boolean {
  if (trace.startNs > untilNs || trace.endNs < sinceNs) return false;
  return service === "" || trace.nodes.some(({ span }) => span.service === service);
}

async function readLosses(store: Pick<Store, "query">): Promise<Loss[]> {
  const result = await store.query("FROM losses");
  return result.rows().map((row) => ({
    reason: String(row["reason"]),
    service: String(row["process"]),
    count: Number(row["count"]),
    sinceNs: BigInt(String(row["since_unix_ns"])),
    untilNs: BigInt(String(row["until_unix_ns"])),
    traces: 0,
  }));
}

/** Times of loss do not overlap, so that counts add up; a trace over two of them counts twice. */
function byReason(losses: readonly BlindSpot[]): BlindSpot[] {
  const sums = new Map<string, BlindSpot>();
  for (const loss of losses) {
    const key = `${loss.reason} ${loss.service}`;
    const known = sums.get(key);
    sums.set(key, {
      ...loss,
      count: loss.count + (known?.count ?? 0),
      traces: loss.traces === null ? null : loss.traces + (known?.traces ?? 0),
    });
  }
  return [...sums.values()];
}

async function readChecks(store: Pick<Store, "query">): Promise<ServiceChecks[]> {
  const result = await store.query(
    `SELECT service, sum(agreed) AS agreed, sum(differed) AS differed, sum(uncertain) AS uncertain
     FROM link_checks GROUP BY service ORDER BY sum(agreed + differed + uncertain) DESC, service`,
  );
  return result.rows().map((row) => ({
    service: String(row["service"]),
    agreed: Number(row["agreed"]),
    differed: Number(row["differed"]),
    uncertain: Number(row["uncertain"]),
  }));
}

function linesOf({ checks, traces, spots }: StoredAccuracy): string[] {
  const paint = paintFor(Deno.stdout.isTerminal(), (name) => Deno.env.get(name));
  const accuracy = accuracyLines(checks, paint);
  const few = linksOf(checksInAll(checks));
  const noAccuracy = few === 0
    ? "No link could be checked: no service passed ids on, from what it read to what it sent."
    : `Only ${few} links could be checked by ids: too few to say how right links are.`;
  const blind = blindSpotLines(spots, paint, traces);
  return [
    ...(accuracy.length === 0 ? [noAccuracy] : accuracy),
    "",
    ...(blind.length === 0 ? ["No blind spots."] : blind),
  ];
}

function accuracyJson({ checks, traces, spots }: StoredAccuracy): string {
  return JSON.stringify({
    traces,
    services: checks.filter((row) => linksOf(row) >= CHECKS_MIN).map((row) => ({
      ...row,
      links: linksOf(row),
      right: agreement(row),
    })),
    blind_spots: spots,
  });
}
