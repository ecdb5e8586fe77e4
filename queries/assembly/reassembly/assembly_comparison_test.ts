// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { Candidate } from "../../../model/link.ts";
import { fixtureServerOf, fixtureSpan } from "../../../model/span_fixture.ts";
import { assembleAll } from "../assemble_all.ts";
import { ALL_RULES } from "../assembly_rules.ts";
import { compareAssemblies } from "./assembly_comparison.ts";
import { decidingRule } from "./deciding_rule.ts";
import { byChild, relink } from "./relink.ts";

const server = (span_id: bigint) =>
  fixtureSpan({ span_id, kind: "server", request_seq: Number(span_id), end_unix_ns: 9_000_000n });
const call = fixtureSpan({
  span_id: 5n,
  parent_span_id: 1n,
  link_evidence: "identity",
  link_confidence: 0.99,
  start_unix_ns: 1_100_000n,
});
const called = fixtureServerOf(call, { span_id: 6n });
const candidates: Candidate[] = [
  {
    span_id: 5n,
    parent_id: 1n,
    evidence: "identity",
    score: 0.99,
    rank: 0,
    among: 2,
    votes: "identity=1",
  },
  {
    span_id: 5n,
    parent_id: 2n,
    evidence: "turn",
    score: 0.01,
    rank: 1,
    among: 2,
    votes: "after_request=0.9",
  },
];
const spans = [server(1n), server(2n), call, called];
const all = { sinceNs: 0n, untilNs: 1n << 60n };

function compare(without: string[], threshold = ALL_RULES.threshold, within = all) {
  const stored = byChild(candidates);
  const rules = { without: new Set(without), threshold };
  const comparison = compareAssemblies(
    ({ link, span }) => link === null ? "" : decidingRule(link, stored.get(span.span_id) ?? []),
    ({ link }) => link?.rule ?? "",
  );
  const after = assembleAll(relink(spans, stored, rules), rules);
  comparison.add(assembleAll(spans), after, within);
  return comparison.result();
}

Deno.test("another parent by another rule moves a span, and its traces with it", () => {
  const result = compare(["identity"]);
  assert.deepEqual([result.spans, result.same, result.moved], [4, 3, 1]);
  const [change] = result.changes;
  assert.deepEqual([change?.before, change?.count], ["identity", 1]);
  assert.equal(change?.example.child.span_id, 5n);
  assert.equal(change?.example.parentBefore?.span_id, 1n);
  assert.equal(change?.example.parentAfter?.span_id, 2n);
  assert.deepEqual([result.tracesBefore, result.tracesAfter], [2, 2]);
  assert.deepEqual([result.split, result.merged], [1, 1]);
  assert.equal(result.splitExample?.root.span_id, 1n);
  assert.equal(result.mergedExample?.root.span_id, 2n);
});

Deno.test("a threshold cuts links, and traces fall apart", () => {
  const result = compare([], 0.995);
  assert.deepEqual([result.lost, result.moved, result.split, result.merged], [1, 0, 1, 0]);
  assert.deepEqual([result.tracesBefore, result.tracesAfter], [2, 3]);
});

Deno.test("without a change all is the same, and what lies outside is not counted", () => {
  const same = compare([]);
  assert.deepEqual([same.same, same.changes, same.split, same.merged], [4, [], 0, 0]);
  const late = compare(["identity"], ALL_RULES.threshold, {
    sinceNs: 1_050_000n,
    untilNs: 1n << 60n,
  });
  assert.deepEqual([late.spans, late.moved, late.tracesBefore], [2, 1, 0]);
});
