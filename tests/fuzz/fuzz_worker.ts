// SPDX-License-Identifier: Apache-2.0
// Runs cases one after the other and tells of each how far it is; the main thread watches.

import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import { createRegistry } from "../../operators/wire/registry.ts";
import { randomOf } from "../support/wire/golden_variants.ts";
import { CANARIES } from "./canary.ts";
import { caseOf } from "./case_of.ts";
import { captureTalks, fixtureTalks } from "./corpus.ts";
import { falseClaims } from "./false_claims.ts";
import { counted, runCase } from "./run_case.ts";

export interface Order {
  readonly seed: number;
  readonly forMs: number;
  /** Cases at most; one only where `from` is given. */
  readonly cases: number;
  readonly from: number;
  readonly captures: string;
  /** Name of a canary to put among the protocols, "" for none. */
  readonly canary: string;
}

export type Told =
  | { readonly kind: "progress"; readonly cases: number; readonly messages: number }
  | { readonly kind: "broken"; readonly case: number; readonly what: string; readonly why: string }
  | { readonly kind: "done"; readonly cases: number; readonly messages: number; claims: string[] };

const BATCH = 200;

async function work(order: Order, tell: (told: Told) => void): Promise<void> {
  const canary = CANARIES.find(({ name }) => name === order.canary);
  const protocols = counted(canary === undefined ? PROTOCOLS : [...PROTOCOLS, canary.protocol]);
  const registry = createRegistry(protocols);
  const talks = [
    ...fixtureTalks(new URL("../golden/", import.meta.url)),
    ...await captureTalks(order.captures),
  ];
  const until = performance.now() + order.forMs;
  let messages = 0, cases = 0;
  for (; cases < order.cases && performance.now() < until; cases++) {
    const number = order.from + cases;
    if (cases % BATCH === 0) tell({ kind: "progress", cases, messages });
    const made = caseOf(talks, protocols, randomOf(Math.imul(order.seed, 1_000_003) + number));
    try {
      messages += runCase(made.run, registry);
    } catch (error) {
      const why = error instanceof Error ? error.stack ?? error.message : String(error);
      tell({ kind: "broken", case: number, what: made.what, why });
      return;
    }
  }
  tell({ kind: "progress", cases, messages });
  const claims = order.canary === ""
    ? falseClaims(talks, order.seed, () => tell({ kind: "progress", cases, messages }))
    : [];
  tell({ kind: "done", cases, messages, claims });
}

declare const self: {
  onmessage: ((event: { data: Order }) => void) | null;
  postMessage(told: Told): void;
};

// Loaded as a worker only, by fuzz.ts.
self.onmessage = ({ data }) => void work(data, (told) => self.postMessage(told));
