// SPDX-License-Identifier: Apache-2.0
// Rules and stories are judged together: the likelier parent comes first, and contradiction doubts.

import assert from "node:assert/strict";
import type { Candidate } from "../../../model/link.ts";
import { type Call, type Decision, startProgram, type Work } from "../program.ts";
import { judge } from "./judge.ts";

const work = (spanId: bigint): Work => {
  const seen: Partial<Work> = { order: Number(spanId), readNs: 0, endNs: Infinity, story: [] };
  return { ...seen, exchange: { spanId } } as Work;
};

const call = { sentNs: 1, doneNs: 2, kind: 1, exchange: { spanId: 9n } } as Call;
const [a, b] = [work(1n), work(2n)];

/** A rule says that it is b's. */
function byRule(score: number): Decision {
  const known: Candidate = {
    ...{ span_id: 9n, parent_id: 2n, evidence: "turn", rank: 0, votes: "", among: 2 },
    score,
  };
  const rest = { rule: 0, byOrder: false, fromId: null, asTarget: null };
  return { parent: b, confidence: score, candidates: [known], ...rest };
}

function judged(ruleScore: number, storyOfA: number): Decision {
  const shares = new Map([[a, storyOfA], [b, 1 - storyOfA]]);
  return judge(call, byRule(ruleScore), { shares, storyMargin: 0 }, 0, startProgram(1));
}

Deno.test("judge: a rule that says the same as the story makes it sure", () => {
  const { parent, confidence } = judged(0.98, 0.1);
  assert.equal(parent, b);
  assert.ok(confidence >= 0.95);
});

Deno.test("judge: where they differ the likelier one is first, and neither is a fact", () => {
  const { parent, confidence, candidates } = judged(0.98, 0.7);
  assert.equal(parent, b);
  assert.equal(candidates[0]?.parent_id, 2n);
  assert.ok(confidence < 0.95 && confidence > 0.5, `${confidence}`);
  for (const [rank, { score }] of candidates.entries()) {
    assert.ok(score <= (candidates[rank - 1]?.score ?? 1));
  }
  assert.ok(candidates.reduce((sum, { score }) => sum + score, 0) <= 1 + 1e-9);
});
