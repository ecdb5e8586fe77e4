// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { LINK_RULES } from "../../../model/links/link_rules.ts";
import type { Candidate } from "../../../model/link.ts";
import { RULES } from "../../../operators/link/rules.ts";
import { fixtureSpan } from "../../../model/span_fixture.ts";
import { ALL_RULES } from "../assembly_rules.ts";
import { strongestRule } from "./deciding_rule.ts";
import { byChild, relink } from "./relink.ts";
import { reweigh } from "./reweigh.ts";

const candidate = (parent: bigint, over: Partial<Candidate>): Candidate => ({
  span_id: 1n,
  parent_id: parent,
  evidence: "turn",
  score: 0.5,
  rank: Number(parent) - 10,
  votes: "",
  among: 4,
  ...over,
});

const stored = [
  candidate(10n, { votes: "identity=1 after_request=0.9", score: 0.999, evidence: "identity" }),
  candidate(11n, { votes: "before_answer=0.99", score: 0.0001 }),
];

Deno.test("without a rule that spoke, the votes of the others decide", () => {
  const weighed = reweigh(stored, new Set(["identity"]));
  assert.deepEqual(weighed.map(({ parent_id, rank }) => [parent_id, rank]), [[11n, 0], [10n, 1]]);
  // Shares: 0.25 · 0.99 · 0.1/4 and 0.25 · 0.01/4 · 0.9, chance and background beside them.
  const [first, second] = [0.25 * 0.99 * 0.025, 0.25 * 0.0025 * 0.9];
  const rest = (0.02 + 2 * 0.25) * 0.025 * 0.0025;
  assert.ok(Math.abs((weighed[0]?.score ?? 0) - first / (first + second + rest)) < 1e-9);
  assert.equal(weighed[0]?.evidence, "turn");
  assert.equal(weighed[0]?.votes, "before_answer=0.99");
});

Deno.test("a rule that did not speak changes nothing", () => {
  assert.equal(reweigh(stored, new Set(["handoff"])), stored);
});

Deno.test("where no rule is left, all that were open are equal, and uncertain", () => {
  const both = reweigh(stored, new Set(["identity", "after_request", "before_answer"]));
  for (const { score, evidence } of both) {
    assert.ok(score < 0.26);
    assert.equal(evidence, "nesting");
  }
  const alone = [candidate(10n, { votes: "thread=0.998", among: 1 })];
  assert.ok((reweigh(alone, new Set(["thread"]))[0]?.score ?? 0) > 0.9);
});

Deno.test("what time speaks against stays unlikely", () => {
  const [first] = reweigh([
    candidate(10n, { votes: "identity=1 handoff=0.9 !time" }),
    candidate(11n, { votes: "after_request=0.6" }),
  ], new Set(["identity"]));
  assert.equal(first?.parent_id, 11n);
});

Deno.test("a hop is kept or dropped as a whole", () => {
  const hop = [candidate(10n, { evidence: "hop", votes: "server_from_client=1", score: 1 })];
  assert.equal(reweigh(hop, new Set(["nic_from_nic"])), hop);
  assert.deepEqual(reweigh(hop, new Set(["server_from_client"])), []);
});

Deno.test("relink changes the link of the spans concerned, and of no other", () => {
  const spans = [
    fixtureSpan({ span_id: 1n, parent_span_id: 10n, link_evidence: "identity" }),
    fixtureSpan({ span_id: 2n, parent_span_id: 10n, link_evidence: "thread" }),
  ];
  const candidates = byChild([...stored].reverse());
  const rules = { ...ALL_RULES, without: new Set(["identity"]) };
  const [moved, same] = relink(spans, candidates, rules);
  assert.equal(moved?.parent_span_id, 11n);
  assert.equal(moved?.link_evidence, "turn");
  assert.equal(same, spans[1]);
});

Deno.test("the strongest vote names the rule of a candidate", () => {
  assert.equal(strongestRule(candidate(10n, { votes: "handoff=0.7 thread=0.99 !time" })), "thread");
  assert.equal(strongestRule(candidate(10n, {})), "nesting");
});

Deno.test("every rule of linking has words, and its kind of evidence", () => {
  for (const { name, evidence } of RULES) {
    const words = LINK_RULES[name];
    assert.ok(words !== undefined, `add ${name} to model/links/link_rules.ts`);
    assert.equal(words.evidence, evidence);
  }
});
