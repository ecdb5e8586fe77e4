// SPDX-License-Identifier: Apache-2.0
// The case that belongs to a number: a talk of the corpus, mutated, for the probes or for a
// protocol that is right, or wrong.

import type { AnyProtocol } from "../../operators/wire/registry.ts";
import type { Random } from "../support/wire/golden_variants.ts";
import type { Step } from "../support/wire/golden_fixture.ts";
import type { Talk } from "./corpus.ts";
import { mutate } from "./mutations.ts";
import type { Case } from "./run_case.ts";

export interface Made {
  readonly run: Case;
  readonly what: string;
}

const ROLES = ["client", "server", "unknown"] as const;
/** Once in so many cases, a talk is repeated until it could fill any list without a limit. */
const FLOOD_EVERY = 2_000;
const FLOOD_STEPS = 6_000;

export function caseOf(
  talks: readonly Talk[],
  protocols: readonly AnyProtocol[],
  random: Random,
): Made {
  const talk = talks[random(talks.length)] ??
    { name: "", protocol: "", transport: "tcp", steps: [] };
  const others = () => talks[random(talks.length)]?.steps ?? [];
  const own = protocols.find(({ name }) => name === talk.protocol) ?? null;
  const wrong = protocols[random(protocols.length)] ?? null;
  const way = random(10);
  const protocol = way < 4 ? null : way < 8 ? own : wrong;
  const flooded = random(FLOOD_EVERY) === 0;
  const steps = flooded ? flood(talk.steps) : mutate(talk.steps, random, others);
  const as = protocol === null ? "by the probes" : `as ${protocol.name}`;
  return {
    run: { transport: talk.transport, role: ROLES[random(3)] ?? "client", steps, protocol },
    what: `${talk.name}, ${flooded ? "repeated" : "mutated"}, ${as}`,
  };
}

/** What one side says, again and again, with no answers. */
function flood(steps: readonly Step[]): Step[] {
  const calls = steps.filter((step) => step.kind === "call" && step.up);
  if (calls.length === 0) return [];
  return Array.from({ length: FLOOD_STEPS }, (_, i) => calls[i % calls.length] as Step);
}
