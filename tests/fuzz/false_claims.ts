// SPDX-License-Identifier: Apache-2.0
// How often a connection is claimed by a protocol that it does not speak: noise by anyone, and the
// talks of every protocol by another.

import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { createRegistry, type Registry } from "../../operators/wire/registry.ts";
import { randomOf } from "../support/wire/golden_variants.ts";
import type { Talk } from "./corpus.ts";
import { noise } from "./noise.ts";

const CONNECTIONS = 100_000;
/** Per connection. */
const CLAIMS_MAX = 1 / 10_000;

/** One line per kind of bytes that is claimed, and a summary; `FAILED` in it where too often. */
export function falseClaims(talks: readonly Talk[], seed: number, alive: () => void): string[] {
  const registry = createRegistry(PROTOCOLS);
  const random = randomOf(seed);
  const claimed = new Map<string, number>();
  for (let i = 0; i < CONNECTIONS; i++) {
    if (i % 1_000 === 0) alive();
    const { kind, bytes } = noise(random);
    const transport = random(4) === 0 ? "udp" : "tcp";
    const answer = registry.settle(transport, bytes, bytes.length);
    if (answer.kind !== "claimed") continue;
    const what = `${kind} over ${transport} as ${answer.protocol.name}`;
    claimed.set(what, (claimed.get(what) ?? 0) + 1);
  }
  const wrong = [...claimed.values()].reduce((sum, n) => sum + n, 0);
  const verdict = wrong > CONNECTIONS * CLAIMS_MAX ? "FAILED: " : "";
  const mixed = talks.flatMap((talk) => wrongClaim(talk, registry));
  return [
    ...[...claimed].sort((a, b) => b[1] - a[1]).map(([what, n]) => `  ${n} × ${what}`),
    `${verdict}${wrong} of ${CONNECTIONS} connections of noise are claimed`,
    ...mixed.map((what) => `  ${what}`),
    `${mixed.length > 0 ? "FAILED: " : ""}${mixed.length} of ${talks.length} talks are claimed ` +
    "by another protocol than their own",
  ];
}

/** Fixtures only: what a capture holds is not said. */
function wrongClaim(talk: Talk, registry: Registry): string[] {
  if (talk.protocol === "" || talk.protocol === "unknown") return [];
  for (const step of talk.steps) {
    if (step.kind !== "call") continue;
    const answer = registry.ask(talk.transport, step.bytes, step.length);
    if (answer.kind !== "claimed") continue;
    const { name } = answer.protocol;
    return name === talk.protocol ? [] : [`${talk.name} as ${name}`];
  }
  return [];
}
