// SPDX-License-Identifier: Apache-2.0
// The rates that readers are measured by, each on the messages that it is about.

import { PROTOCOLS } from "../../../operators/protocols/registry.gen.ts";
import type { AnyProtocol, Registry } from "../../../operators/wire/registry.ts";
import type { Talk } from "../../fuzz/corpus.ts";
import { median } from "../median.ts";
import { passNs } from "./cost.ts";
import { hpackBlocks, passBlocks } from "./hpack_stories.ts";
import { httpGets, redisGets } from "./keep_alive.ts";
import { loadOf, reader } from "./load.ts";

export interface GoalRow {
  readonly what: string;
  readonly measured: number;
  readonly goal: number;
  /** Messages per second should be at least the goal, nanoseconds at most. */
  readonly unit: "/s" | "ns";
}

export function goalRows(talks: readonly Talk[], registry: Registry): GoalRow[] {
  const hpack = hpackBlocks();
  const blocks = hpack.flat().length;
  const probes = probeTimes(talks, registry).sort((a, b) => b.ns - a.ns);
  const [slowest] = probes;
  return [
    rate("redis, GET and its answer", 1e6, redisGets()),
    rate("dns, responses", 4e5, onlyDown(talks, "dns")),
    rate("http, GET and its answer", 6e5, httpGets()),
    rate("http, all of the fixture", 6e5, ...talks.filter(({ protocol }) => protocol === "http")),
    {
      what: "hpack, blocks of the corpus",
      measured: blocks * 1e9 / passNs(() => passBlocks(hpack)),
      goal: 3e5,
      unit: "/s",
    },
    {
      what: "asking all probes, mean of all fixtures",
      measured: probes.reduce((sum, { ns }) => sum + ns, 0) / probes.length,
      goal: 2_000,
      unit: "ns",
    },
    {
      what: `asking all probes, at worst (${slowest?.talk.name ?? ""})`,
      measured: slowest?.ns ?? NaN,
      goal: 2_000,
      unit: "ns",
    },
  ];
}

function rate(what: string, goal: number, ...talks: readonly Talk[]): GoalRow {
  const protocol = protocolOf(talks);
  const pass = reader(protocol, talks.map(loadOf));
  return { what, measured: pass() * 1e9 / passNs(pass), goal, unit: "/s" };
}

function protocolOf([first]: readonly Talk[]): AnyProtocol {
  const found = PROTOCOLS.find(({ name }) => name === first?.protocol);
  if (found === undefined) throw new Error("Cannot measure a rate: there is no fixture");
  return found;
}

/** What all servers of the fixture said, as if to one socket. */
function onlyDown(talks: readonly Talk[], protocol: string): Talk {
  const steps = talks.filter((talk) => talk.protocol === protocol)
    .flatMap((talk) => talk.steps.filter((step) => step.kind === "call" && !step.up));
  return { name: "responses", protocol, transport: "udp", steps };
}

interface ProbeTime {
  readonly talk: Talk;
  readonly ns: number;
}

/**
 * How long it takes to ask all probes about the first bytes of each talk: medians of rounds, in
 * each of which all talks have their turn, because probes meet strangers of all kinds.
 */
function probeTimes(talks: readonly Talk[], registry: Registry): ProbeTime[] {
  const asked = talks.flatMap((talk) => {
    const [first] = loadOf(talk).runs;
    return first === undefined ? [] : [{ talk, first, times: [] as number[] }];
  });
  for (let round = -PROBE_WARM_UP_ROUNDS; round < PROBE_ROUNDS; round++) {
    for (const { talk: { transport }, first: { bytes, length }, times } of asked) {
      const startMs = performance.now();
      for (let i = 0; i < ASKS; i++) registry.ask(transport, bytes, length);
      if (round >= 0) times.push((performance.now() - startMs) * 1e6 / ASKS);
    }
  }
  return asked.map(({ talk, times }) => ({ talk, ns: median(times) }));
}

const PROBE_WARM_UP_ROUNDS = 40;
const PROBE_ROUNDS = 41;
/** In a row: so many take longer than to look at the clock. */
const ASKS = 32;

export function formatGoals(rows: readonly GoalRow[]): string {
  const shown = (n: number, unit: GoalRow["unit"]) =>
    unit === "ns" ? `${n.toFixed(0)} ns` : `${(n / 1_000).toFixed(0)} k/s`;
  const width = Math.max(...rows.map(({ what }) => what.length));
  return [
    `  ${"".padEnd(width)}   measured        goal`,
    ...rows.map(({ what, measured, goal, unit }) =>
      `  ${what.padEnd(width)} ${shown(measured, unit).padStart(10)}  ` +
      `${unit === "ns" ? "≤" : "≥"} ${shown(goal, unit).padStart(8)}`
    ),
  ].join("\n");
}
