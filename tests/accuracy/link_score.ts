// SPDX-License-Identifier: Apache-2.0
// Runs recorded events through link and compares the links with the truth.

import type { Outputs } from "../../engine/operator.ts";
import type { DropReason } from "../../model/drops.ts";
import type { Exchange } from "../../model/exchange.ts";
import { CERTAIN_FROM } from "../../model/link.ts";
import type { LinkedExchange } from "../../model/linked_exchange.ts";
import { link } from "../../operators/link/link.ts";
import type { Recorded } from "./session_event.ts";

export interface Score {
  readonly calls: number;
  /** Of the calls that have a parent: drawn and right or wrong, below the threshold, or none. */
  readonly right: number;
  readonly wrong: number;
  readonly uncertain: number;
  readonly missing: number;
  /** By evidence: how many links it drew, and how many of them are wrong. */
  readonly byEvidence: ReadonlyMap<string, { drawn: number; wrong: number }>;
  /** Links by tenth of confidence, the threshold ignored. */
  readonly calibration: readonly { links: number; right: number; confidence: number }[];
}

/** The last revision of every exchange, in order of first emission. */
export function linkAll(events: readonly Recorded[]): Map<Exchange, LinkedExchange> {
  const linked = new Map<Exchange, LinkedExchange>();
  const out: Outputs<LinkedExchange, never, DropReason> = {
    emit: (record) => void linked.set(record.exchange, record),
    side: () => {},
    drop: () => {},
  };
  const join = link.open(undefined, out);
  let sinceAdvance = 0;
  for (const { event, apply, before } of events) {
    for (const fact of before ?? []) join.right(fact);
    apply();
    join.left(event);
    if (++sinceAdvance < 64) continue;
    sinceAdvance = 0;
    join.advance(event.emitNs - 1_000_000n);
  }
  join.end();
  return linked;
}

export function scoreLinks(
  linked: ReadonlyMap<Exchange, LinkedExchange>,
  truth: ReadonlyMap<Exchange, Exchange | null>,
): Score {
  const counts = { calls: 0, right: 0, wrong: 0, uncertain: 0, missing: 0 };
  const byEvidence = new Map<string, { drawn: number; wrong: number }>();
  const calibration = Array.from({ length: 10 }, () => ({ links: 0, right: 0, confidence: 0 }));
  for (const [call, parent] of truth) {
    if (call.response === null) continue;
    const best = linked.get(call)?.candidates[0];
    if (parent !== null) counts.calls++;
    const isRight = parent !== null && best?.parent_id === parent.spanId;
    const bin = calibration[Math.min(9, Math.floor((best?.score ?? 0) * 10))];
    if (best !== undefined && bin !== undefined) {
      bin.links++;
      bin.confidence += best.score;
      if (isRight) bin.right++;
    }
    if (best === undefined) {
      if (parent !== null) counts.missing++;
    } else if (best.score < CERTAIN_FROM) {
      if (parent !== null) counts.uncertain++;
    } else {
      if (isRight) counts.right++;
      else counts.wrong++;
      const of = byEvidence.get(best.evidence) ?? { drawn: 0, wrong: 0 };
      of.drawn++;
      if (!isRight) of.wrong++;
      byEvidence.set(best.evidence, of);
    }
  }
  return { ...counts, byEvidence, calibration };
}
