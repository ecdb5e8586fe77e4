// SPDX-License-Identifier: Apache-2.0
// How far the clocks of hosts are apart, from requests that both ends saw: a client's span must
// enclose its server's span.
//
// Each pair bounds the difference from both sides; the difference that most pairs allow is taken.
// Pairs are found by sequence numbers alone, which skewed clocks do not change. Clocks that no
// pair contradicts count as equal, so that nothing is shifted without need.

import type { Span } from "../../../model/span.ts";

export interface HostClock {
  readonly host: string;
  /** The host by whose clock times are told. */
  readonly reference: string;
  /** So far this host's clock is ahead of the reference's; negative: behind. */
  readonly aheadNs: bigint;
  /** It may be off by this. */
  readonly errorNs: bigint;
  /** Pairs of spans that agree on it. */
  readonly pairs: number;
}

/** What a server's call may seem to end after its client's without a difference of clocks. */
const slackNs = 100_000n;

/** Pairs of one pair of hosts that are looked at. */
const pairsMax = 10_000;

/** Those that differ from the clock of the host with the most spans. */
export function estimateClocks(spans: readonly Span[]): HostClock[] {
  const counts = spansPerHost(spans);
  if (counts.size < 2) return [];
  const differences = differencesOf(boundsOf(spans));
  const hosts = [...counts.keys()].sort((a, b) =>
    (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1)
  );
  const clocks = new Map<string, HostClock>();
  for (const reference of hosts) {
    if (clocks.has(reference)) continue;
    const zero = { host: reference, reference, aheadNs: 0n, errorNs: 0n, pairs: 0 };
    clocks.set(reference, zero);
    spread(zero, differences, clocks);
  }
  return [...clocks.values()].filter(({ aheadNs }) => aheadNs !== 0n);
}

/** The spans as if all hosts had the reference's clock. */
export function alignClocks(spans: readonly Span[], clocks: readonly HostClock[]): Span[] {
  if (clocks.length === 0) return [...spans];
  const ahead = new Map(clocks.map(({ host, aheadNs }) => [host, aheadNs]));
  return spans.map((span) => {
    const aheadNs = ahead.get(span.host);
    if (aheadNs === undefined) return span;
    const first = span.first_byte_unix_ns;
    return {
      ...span,
      start_unix_ns: span.start_unix_ns - aheadNs,
      end_unix_ns: span.end_unix_ns - aheadNs,
      first_byte_unix_ns: first === null ? null : first - aheadNs,
    };
  });
}

function spansPerHost(spans: readonly Span[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { host } of spans) if (host !== "") counts.set(host, (counts.get(host) ?? 0) + 1);
  return counts;
}

/** The server's clock minus the client's lies between these. */
interface Bounds {
  readonly client: string;
  readonly server: string;
  readonly leastNs: bigint;
  readonly mostNs: bigint;
}

function boundsOf(spans: readonly Span[]): Bounds[] {
  interface Ends {
    client: Span | null;
    server: Span | null;
    count: number;
  }
  const hops = new Map<string, Ends>();
  for (const span of spans) {
    if (span.observer !== "process" || span.transport !== "tcp" || span.host === "") continue;
    if (span.request_seq === null || span.response_seq === null) continue;
    const key = `${span.request_seq} ${span.response_seq} ${span.protocol}`;
    let ends = hops.get(key);
    if (ends === undefined) hops.set(key, ends = { client: null, server: null, count: 0 });
    ends.count++;
    if (span.kind === "server" || span.kind === "consumer") ends.server = span;
    else ends.client = span;
  }
  return [...hops.values()].flatMap(({ client, server, count }) => {
    if (client === null || server === null || count !== 2) return [];
    const leastNs = server.end_unix_ns - client.end_unix_ns - slackNs;
    const mostNs = server.start_unix_ns - client.start_unix_ns + slackNs;
    if (client.host === server.host || leastNs > mostNs) return [];
    return [{ client: client.host, server: server.host, leastNs, mostNs }];
  });
}

/** By how much the clock of `to` is ahead of that of `from`. */
interface Difference {
  readonly from: string;
  readonly to: string;
  readonly aheadNs: bigint;
  readonly errorNs: bigint;
  readonly pairs: number;
}

function differencesOf(bounds: readonly Bounds[]): Difference[] {
  const byHosts = new Map<string, Bounds[]>();
  for (const { client, server, leastNs, mostNs } of bounds) {
    const isForward = client < server;
    const one = isForward
      ? { client, server, leastNs, mostNs }
      : { client: server, server: client, leastNs: -mostNs, mostNs: -leastNs };
    const key = `${one.client}\0${one.server}`;
    const list = byHosts.get(key);
    if (list === undefined) byHosts.set(key, [one]);
    else if (list.length < pairsMax) list.push(one);
  }
  return [...byHosts.values()].flatMap((list) => {
    const [{ client: from, server: to } = { client: "", server: "" }] = list;
    const { leastNs, mostNs, pairs } = mostAllowed(list);
    const isEqual = leastNs <= 0n && mostNs >= 0n;
    const aheadNs = isEqual ? 0n : (leastNs + mostNs) / 2n;
    const there = { from, to, aheadNs, errorNs: (mostNs - leastNs) / 2n, pairs };
    return [there, { ...there, from: to, to: from, aheadNs: -aheadNs }];
  });
}

/** The range that most of the bounds allow; of equal ones the lowest. */
function mostAllowed(
  bounds: readonly Bounds[],
): { leastNs: bigint; mostNs: bigint; pairs: number } {
  const edges = bounds.flatMap(({ leastNs, mostNs }) => [
    { ns: leastNs, step: 1 },
    { ns: mostNs, step: -1 },
  ]).sort((a, b) => a.ns === b.ns ? b.step - a.step : a.ns < b.ns ? -1 : 1);
  let [open, pairs, leastNs, mostNs] = [0, 0, 0n, 0n];
  for (const [i, { ns, step }] of edges.entries()) {
    open += step;
    if (open <= pairs) continue;
    [pairs, leastNs, mostNs] = [open, ns, edges[i + 1]?.ns ?? ns];
  }
  return { leastNs, mostNs, pairs };
}

/** From host to host, each time along the difference that most pairs agree on. */
function spread(
  from: HostClock,
  differences: readonly Difference[],
  clocks: Map<string, HostClock>,
): void {
  const known = new Set([from.host]);
  for (;;) {
    let best: Difference | null = null;
    for (const each of differences) {
      if (!known.has(each.from) || clocks.has(each.to)) continue;
      if (best === null || each.pairs > best.pairs) best = each;
    }
    const via = best === null ? undefined : clocks.get(best.from);
    if (best === null || via === undefined) return;
    known.add(best.to);
    clocks.set(best.to, {
      host: best.to,
      reference: from.reference,
      aheadNs: via.aheadNs + best.aheadNs,
      errorNs: via.errorNs + best.errorNs,
      pairs: best.pairs,
    });
  }
}
